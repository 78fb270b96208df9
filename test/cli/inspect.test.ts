/** `postern inspect` on real modules: what it prints, what it answers as JSON, its exit codes. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { sha256 } from '../../src/cli/plugin-modules.ts'
import type { InspectReport } from '../../src/proxy-wasm/abi/inspect.ts'
import type { HostPortability } from '../../src/proxy-wasm/abi/portability.ts'
import { buildWasm, fn } from '../../src/proxy-wasm/testing/build-wasm.ts'

const cwd = join(import.meta.dirname, '../..')

type Printed = InspectReport & {
  readonly sha256: string
  readonly portability: readonly HostPortability[]
}

async function inspect(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await run(['inspect', ...args], {
    cwd,
    env: {},
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    fetch: () => Promise.reject(new Error('no network')),
  })
  return { code, out, err }
}

async function report(file: string): Promise<Printed> {
  return JSON.parse((await inspect(file, '--json')).out) as Printed
}

const verdicts = ({ portability }: Printed): string[] => portability.map(({ verdict }) => verdict)

describe('postern inspect', () => {
  it.each([
    ['plugins/api-key/1.0.0.wasm', '0.2.1', 'rust', '_initialize', 'proxy_on_memory_allocate'],
    ['plugins/request-id/1.0.0.wasm', '0.2.0', 'go', '_initialize', 'proxy_on_memory_allocate'],
    ['plugins/ab-cookie/1.0.0.wasm', '0.2.1', 'assemblyscript', '_start', 'malloc'],
    ['test/fixtures/probe/probe-0.1.0.wasm', '0.1.0', 'unknown', '_initialize', 'malloc'],
  ])('reads %s', async (file, abi, sdk, start, allocator) => {
    const read = await report(file)
    expect(read).toMatchObject({ ok: true, abi, sdk, start, allocator, problems: [] })
    expect(read.sha256).toBe(sha256(readFileSync(join(cwd, file))))
    expect(read.size).toBe(readFileSync(join(cwd, file)).length)
    expect(verdicts(read)[0]).toBe('yes')
  })

  it('says in which hosts a plugin runs whole, and what is missing in the others', async () => {
    expect(verdicts(await report('plugins/ab-cookie/1.0.0.wasm'))).toEqual([
      'yes',
      'yes',
      'partly',
      'yes',
    ])
    const google = (await report('plugins/remote-authz/1.0.0.wasm')).portability.at(-1)
    expect(google?.limits.map(({ message }) => message).join(' ')).toContain('proxy_http_call')
  })

  it('prints all of it for people', async () => {
    const { code, out } = await inspect('plugins/mask-card-numbers/1.0.0.wasm')
    expect(code).toBe(0)
    expect(out).toContain('ABI 0.2.1, SDK rust')
    expect(out).toContain('response_body')
    expect(out).toContain('never called here: request_trailers, response_trailers')
    expect(out).toContain('  Envoy                       runs\n')
    expect(out).toContain('  nginx (ngx_wasm_module)     runs in part\n')
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(300)
  })

  it('names what is lacking here and what nobody knows', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-inspect-'))
    try {
      const file = join(folder, 'plugin.wasm')
      const functions = {
        proxy_abi_version_0_2_1: fn(),
        malloc: fn('i32', 'i32'),
        proxy_on_context_create: fn('i32 i32'),
      }
      const redis = fn('i32 i32 i32 i32 i32', 'i32')
      await writeFile(
        file,
        buildWasm({
          functions,
          imports: [
            ['env', 'proxy_redis_call', redis],
            ['acme', 'call', fn('i64', 'i32')],
          ],
          customSections: { mark: [1] },
        }),
      )
      const { out, code } = await inspect(file)
      expect(code).toBe(0)
      expect(out).toContain('lacking here: proxy_redis_call: Unimplemented')
      expect(out).toContain('unknown import: acme.call (i64) -> i32\n')
      expect(out).toMatch(/custom sections: mark \(\d+ B\)/)
      expect(out).toContain('  Envoy                       does not run\n')
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('answers 1 for what cannot run here', async () => {
    expect((await inspect('test/fixtures/start-conventions/no-marker.wasm')).code).toBe(1)
    const { code, out } = await inspect('package.json')
    expect([code, out]).toEqual([1, expect.stringContaining('problem not-wasm')])
  })

  it('answers 1 for a file that is not there', async () => {
    const { code, err } = await inspect('nowhere.wasm')
    expect([code, err]).toEqual([1, expect.stringContaining('[cli.file_missing]')])
  })

  it('answers 2 when called wrongly', async () => {
    expect((await inspect()).code).toBe(2)
    expect((await inspect('a.wasm', 'b.wasm')).code).toBe(2)
    expect((await inspect('--nope')).code).toBe(2)
    expect((await inspect('--help')).code).toBe(0)
  })
})
