/** `postern add` on a real folder: what it writes, what it refuses, and that refusing writes nothing. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { add } from '../../src/cli/add.ts'
import { sha256 } from '../../src/cli/plugin-modules.ts'
import { buildWasm, fn } from '../../src/proxy-wasm/testing/build-wasm.ts'

let cwd: string
let stdout: string
let stderr: string
/** What is to be downloaded: each once. */
const network = new Map<string, Response>()

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'postern-add-'))
  stdout = ''
  stderr = ''
})
afterEach(() => rm(cwd, { recursive: true }))

function run(...args: string[]): Promise<number> {
  return add(args, {
    cwd,
    env: {},
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    fetch: (input) => {
      const answer = network.get(String(input))
      return answer === undefined
        ? Promise.reject(new Error('no network'))
        : Promise.resolve(answer)
    },
  })
}

/** A plugin's bytes; another mark gives other bytes. */
function plugin(mark: number = 0): Uint8Array {
  return buildWasm({
    imports: [['env', 'proxy_log', fn('i32 i32 i32', 'i32')]],
    functions: {
      proxy_abi_version_0_2_1: fn(),
      proxy_on_memory_allocate: fn('i32', 'i32'),
      proxy_on_context_create: fn('i32 i32'),
      proxy_on_request_headers: fn('i32 i32 i32', 'i32'),
    },
    customSections: { mark: [mark] },
  })
}

const put = (file: string, bytes: Uint8Array | string): Promise<void> =>
  writeFile(join(cwd, file), bytes)
const text = (file: string): Promise<string> => readFile(join(cwd, file), 'utf8')
const manifest = async (name: string): Promise<{ versions: Record<string, unknown>[] }> =>
  JSON.parse(await text(`plugins/${name}/plugin.json`)) as { versions: Record<string, unknown>[] }

describe('postern add', () => {
  it('copies the module, writes plugin.json and the registry, and says what to do next', async () => {
    await put('auth_filter-1.2.0.wasm', plugin())
    expect(await run('auth_filter-1.2.0.wasm', '--url', 'oci://ghcr.io/acme/auth:1.2.0')).toBe(0)

    const copied = await readFile(join(cwd, 'plugins/auth-filter/1.2.0.wasm'))
    expect(sha256(copied)).toBe(sha256(plugin()))
    expect(await manifest('auth-filter')).toMatchObject({
      name: 'auth-filter',
      versions: [
        {
          version: '1.2.0',
          file: '1.2.0.wasm',
          sha256: sha256(plugin()),
          urls: ['oci://ghcr.io/acme/auth:1.2.0'],
        },
      ],
    })
    const registry = await text('plugins/registry.ts')
    expect(registry).toContain("import authFilter_1_2_0 from './auth-filter/1.2.0.wasm'")
    expect(registry).toContain("'env.proxy_log': '(i32, i32, i32) -> i32'")
    expect(registry).toContain("from 'postern'")
    expect(await text('plugins/wasm.d.ts')).toContain("declare module '*.wasm'")
    expect(stdout).toContain('npx wrangler deploy')
    expect(stdout).toContain('url: oci://ghcr.io/acme/auth:1.2.0')
    expect(stderr).toBe('')
  })

  it('changes nothing the second time', async () => {
    await put('auth.wasm', plugin())
    await run('auth.wasm')
    const before = await Promise.all(
      ['auth/plugin.json', 'registry.ts'].map((f) => text(`plugins/${f}`)),
    )
    stdout = ''
    expect(await run('auth.wasm')).toBe(0)
    expect(stdout).toContain('Already there: auth 1.0.0')
    const after = await Promise.all(
      ['auth/plugin.json', 'registry.ts'].map((f) => text(`plugins/${f}`)),
    )
    expect(after).toEqual(before)
  })

  it('adds a version and a url beside what is there, and keeps fields it does not know', async () => {
    await mkdir(join(cwd, 'plugins/auth'), { recursive: true })
    await put('a.wasm', plugin(1))
    await put('b.wasm', plugin(2))
    await put('plugins/auth/plugin.json', '{"name":"auth","license":"MIT","versions":[]}')
    expect(
      await run('a.wasm', '--name', 'auth', '--version', '1.0.0', '--url', 'oci://x/a:1'),
    ).toBe(0)
    expect(await run('b.wasm', '--name', 'auth', '--version', '1.1.0')).toBe(0)
    expect(await run('a.wasm', '--name', 'auth', '--url', 'oci://y/a:1')).toBe(0)
    expect(await manifest('auth')).toMatchObject({
      license: 'MIT',
      versions: [{ version: '1.0.0', urls: ['oci://x/a:1', 'oci://y/a:1'] }, { version: '1.1.0' }],
    })
    const order = [...(await text('plugins/registry.ts')).matchAll(/version: '(.*)'/g)]
    expect(order.map(([, version]) => version)).toEqual(['1.0.0', '1.1.0'])
  })

  it('downloads a url, takes name and version from it, and records it', async () => {
    const url = 'https://plugins.test/dl/auth-1.3.0.wasm?token=x'
    network.set(url, new Response(plugin() as BodyInit))
    expect(await run(url, '--sha256', sha256(plugin()))).toBe(0)
    expect((await manifest('auth')).versions).toMatchObject([
      { version: '1.3.0', sha256: sha256(plugin()), urls: [url] },
    ])
    expect(stdout).toContain(`url: ${url}`)
  })

  it('downloads nothing but modules', async () => {
    const url = 'https://plugins.test/auth.wasm'
    network.set(url, new Response('gone', { status: 404 }))
    expect(await run(url)).toBe(1)
    expect(stderr).toContain(`${url} cannot be downloaded: the server answered 404`)
    expect(await readdir(cwd)).toEqual([])
  })

  it('takes a file by its url', async () => {
    await put('auth.wasm', plugin())
    expect(await run(`file://${join(cwd, 'auth.wasm')}`)).toBe(0)
    expect(stdout).toContain('Added auth 1.0.0')
  })

  it('takes name and version from a file that is in place', async () => {
    await mkdir(join(cwd, 'plugins/auth'), { recursive: true })
    await put('plugins/auth/2.0.0.wasm', plugin())
    expect(await run('plugins/auth/2.0.0.wasm')).toBe(0)
    expect(stdout).toContain('Added auth 2.0.0')
  })

  it('prints JSON', async () => {
    await put('auth.wasm', plugin())
    expect(await run('auth.wasm', '--json')).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      name: 'auth',
      version: '1.0.0',
      path: 'plugins/auth/1.0.0.wasm',
      changed: true,
      report: { abi: '0.2.1', sdk: 'rust' },
    })
  })

  it('replaces a version when forced, and drops what was recorded of the old file', async () => {
    await put('a.wasm', plugin(1))
    await put('b.wasm', plugin(2))
    await run('a.wasm', '--name', 'auth')
    const path = 'plugins/auth/plugin.json'
    const recorded = { ...(await manifest('auth')).versions[0], source: 'abc' }
    await put(path, JSON.stringify({ name: 'auth', versions: [recorded] }))
    expect(await run('b.wasm', '--name', 'auth', '--version', '1.0.0', '--force')).toBe(0)
    const { versions } = await manifest('auth')
    expect(versions).toEqual([{ version: '1.0.0', file: '1.0.0.wasm', sha256: sha256(plugin(2)) }])
  })

  it('leaves a packed file in place when its original is added again', async () => {
    await put('auth.wasm', plugin(1))
    await run('auth.wasm')
    const packed = { sha256: sha256(plugin(2)), packer: 'fuel 1' }
    const [version] = (await manifest('auth')).versions
    await put('plugins/auth/1.0.0.wasm', plugin(2))
    const versions = [{ ...version, packed }]
    await put('plugins/auth/plugin.json', JSON.stringify({ name: 'auth', versions }))
    expect(await run('auth.wasm', '--json')).toBe(0)
    expect(sha256(await readFile(join(cwd, 'plugins/auth/1.0.0.wasm')))).toBe(packed.sha256)
    expect((await manifest('auth')).versions[0]).toMatchObject({ packed })
  })

  it('puts back a file that was damaged', async () => {
    await put('auth.wasm', plugin())
    await run('auth.wasm')
    await put('plugins/auth/1.0.0.wasm', plugin(9))
    expect(await run('auth.wasm')).toBe(0)
    expect(sha256(await readFile(join(cwd, 'plugins/auth/1.0.0.wasm')))).toBe(sha256(plugin()))
  })

  it('helps', async () => {
    expect(await run('--help')).toBe(0)
    expect(stdout).toContain('postern add FILE.wasm')
  })
})

describe('postern add refuses', () => {
  it('what is no plugin, with every reason, and writes nothing', async () => {
    await put('bad.wasm', buildWasm({ functions: { proxy_on_log: fn('i64') }, memory: false }))
    expect(await run('bad.wasm')).toBe(1)
    expect(stderr).toContain('proxy_abi_version_')
    expect(stderr).toContain('malloc')
    expect(stderr).toContain('proxy_on_log is (i64)')
    expect(stderr).toContain('memory')
    expect(await readdir(cwd)).toEqual(['bad.wasm'])
  })

  it('with the reasons as JSON', async () => {
    await put('bad.wasm', 'not wasm')
    expect(await run('bad.wasm', '--json')).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, problems: [{ code: 'not-wasm' }] })
  })

  it('another file for the same version', async () => {
    await put('a.wasm', plugin(1))
    await put('b.wasm', plugin(2))
    await run('a.wasm', '--name', 'auth')
    expect(await run('b.wasm', '--name', 'auth', '--version', '1.0.0')).toBe(1)
    expect(stderr).toContain('--force')
    expect((await manifest('auth')).versions[0]).toMatchObject({ sha256: sha256(plugin(1)) })
  })

  it('to guess the next version', async () => {
    await put('a.wasm', plugin(1))
    await put('b.wasm', plugin(2))
    await run('a.wasm', '--name', 'auth')
    expect(await run('b.wasm', '--name', 'auth')).toBe(1)
    expect(stderr).toContain('auth has: 1.0.0')
  })

  it('to register beside a plugin that is broken, and writes nothing', async () => {
    await put('a.wasm', plugin(1))
    await run('a.wasm', '--name', 'first')
    await put('plugins/first/1.0.0.wasm', plugin(2))
    expect(await run('a.wasm', '--name', 'second')).toBe(1)
    expect(stderr).toContain('first/1.0.0.wasm')
    expect((await readdir(join(cwd, 'plugins'))).sort()).toEqual([
      'first',
      'registry.ts',
      'wasm.d.ts',
    ])
  })

  it.each([
    [['missing.wasm'], 'cannot be read'],
    [['oci://ghcr.io/acme/auth:1'], 'postern add FILE.wasm --url oci://ghcr.io/acme/auth:1'],
    [['https://x.test/a.wasm'], 'cannot be downloaded: no network'],
    [['a.wasm', '--sha256', '0'.repeat(64)], `the sha256 of a.wasm is ${sha256(plugin())}`],
    [['a.wasm', '--name', '../evil'], '--name'],
    [['a.wasm', '--version', '../../evil'], 'cannot be a version'],
  ])('%j', async (args, reason) => {
    await put('a.wasm', plugin())
    expect(await run(...args)).toBe(1)
    expect(stderr).toContain(reason)
    expect(await readdir(cwd)).toEqual(['a.wasm'])
  })

  it('a manifest that is wrong, naming the field', async () => {
    await put('a.wasm', plugin())
    await mkdir(join(cwd, 'plugins/a'), { recursive: true })
    await put('plugins/a/plugin.json', '{"name":"a","versions":[{"version":"1","file":"../x"}]}')
    expect(await run('a.wasm')).toBe(1)
    expect(stderr).toContain('versions.0.file')
  })

  it.each([[[]], [['a.wasm', 'b.wasm']], [['a.wasm', '--nope']]])(
    'to run with %j, as a wrong call',
    async (args) => {
      await expect(run(...args)).rejects.toMatchObject({ code: 'cli.usage', exitCode: 2 })
    },
  )
})
