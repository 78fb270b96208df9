/** `postern bench` on real modules: that it measures each phase, and what it refuses. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import type { PluginCost } from '../../src/testing/bench-plugin.ts'
import { script } from '../support/machine.ts'
import { FILES, PROBE_CONFIG, TEXT_PROTO, YAML } from './test-format.ts'

const cwd = join(import.meta.dirname, '../..')
const PROBE = 'test/fixtures/probe/probe-0.2.1.wasm'
let folder: string
let out: string
let err: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function bench(...args: string[]): Promise<number> {
  out = ''
  err = ''
  return run(['bench', ...args], {
    cwd,
    env: {},
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    fetch: () => Promise.reject(new Error('no network')),
  })
}

async function config(steps: Parameters<typeof script>[0]): Promise<string> {
  const file = join(folder, 'config.json')
  await writeFile(file, script(steps))
  return file
}

async function cost(...args: string[]): Promise<PluginCost & { startNanoseconds: number }> {
  expect(await bench('--json', '--batches', '20', ...args)).toBe(0)
  return JSON.parse(out) as PluginCost & { startNanoseconds: number }
}

interface MeasuredTests {
  readonly plugin: string
  readonly tests: readonly ({
    readonly name: string
    readonly failures?: readonly string[]
  } & Partial<PluginCost & { readonly startNanoseconds: number }>)[]
}

/** Writes a test file and measures it with one batch. */
async function marked(text: string, ...args: string[]): Promise<MeasuredTests & { code: number }> {
  const file = join(folder, 'marked.textpb')
  await writeFile(file, text)
  const code = await bench('--proto', file, '--plugin', PROBE, '--batches', '1', '--json', ...args)
  return { code, ...(JSON.parse(out) as MeasuredTests) }
}

const SENDS = `
  request_headers { input { content: "GET / HTTP/1.1\\r\\n" } }
`

describe('postern bench', () => {
  it('measures every phase of a plugin', async () => {
    const files = ['--plugin', 'plugins/header-policy/1.1.0.wasm']
    const found = await cost(...files, '--config', 'plugins/header-policy/tests.config.json')
    expect(found.streams).toBe(2000)
    expect(found.phases.map(({ phase }) => phase)).toEqual([
      'open',
      'request headers',
      'request body',
      'response headers',
      'response body',
      'end',
    ])
    const [, headers, body] = found.phases
    expect(headers?.nanoseconds).toBeGreaterThan(body?.nanoseconds ?? 0)
    expect(found.phases.every(({ chainNanoseconds }) => chainNanoseconds > 0)).toBe(true)
    expect(found.heapBytes).toBeGreaterThan(0)
    expect(found.startNanoseconds).toBeGreaterThan(0)
    expect(found.guestMemory.started).toBeGreaterThan(0)
  })

  it('sees guest memory grow', async () => {
    const steps = { request_headers: [{ call: 'grow_memory', pages: 1, if: { total: 1 } }] }
    const { guestMemory } = await cost('--plugin', PROBE, '--config', await config(steps))
    expect(guestMemory.ended - guestMemory.started).toBeGreaterThanOrEqual(64 * 1024)
  })

  it('prints a table for people', async () => {
    expect(await bench('--plugin', 'plugins/ab-cookie/1.0.0.wasm', '--batches', '2')).toBe(1)
    expect(err).toContain('does not start')
    expect(await bench('--plugin', PROBE, '--batches', '2')).toBe(0)
    expect(out).toMatch(/ {2}request headers {3}request_headers +[\d,]+ +[\d,]+ +[\d,]+\n/)
    expect(out).toContain('guest memory')
  })

  it('refuses what does not run', async () => {
    const traps = await config({ request_headers: [{ call: 'trap', kind: 'unreachable' }] })
    expect(await bench('--plugin', PROBE, '--config', traps, '--batches', '1')).toBe(1)
    expect(err).toContain('unreachable')
    expect(await bench('--plugin', 'package.json')).toBe(1)
    expect(await bench('--plugin', 'nowhere.wasm')).toBe(1)
  })

  it.each([
    ['text proto', TEXT_PROTO, 'textpb'],
    ['YAML', YAML, 'yaml'],
  ])('measures what the marked tests of a file send, as %s', async (_, text, ending) => {
    const all = { ...FILES, [`suite.${ending}`]: text }
    await Promise.all(
      Object.entries(all).map(([name, file]) => writeFile(join(folder, name), file)),
    )
    await writeFile(join(folder, 'config.json'), PROBE_CONFIG)
    const files = ['--proto', join(folder, `suite.${ending}`), '--plugin', PROBE]
    expect(await bench(...files, '--batches', '1', '--json')).toBe(0)
    const { tests } = JSON.parse(out) as MeasuredTests
    expect(tests.map(({ name, streams }) => [name, streams])).toEqual([['all phases', 100]])
    expect(tests[0]?.phases?.map(({ phase }) => phase)).toEqual([
      'open',
      'request headers',
      'request body',
      'response headers',
      'response body',
      'end',
    ])
    expect(await bench(...files, '--batches', '1')).toBe(0)
    expect(out).toMatch(/^all phases: 100 streams, medians; started in /)
  })

  it('counts only the phases that a test has', async () => {
    const { code, tests } = await marked(`
      test { name: "no body" benchmark: true ${SENDS} }
      test { name: "not marked" ${SENDS} }
      test { name: "said no" benchmark: false ${SENDS} }
    `)
    expect(code).toBe(0)
    expect(tests.map(({ name }) => name)).toEqual(['no body'])
    expect(tests[0]?.phases?.map(({ phase }) => phase)).toEqual(['open', 'request headers', 'end'])
  })

  it('sends nothing behind an answer of the plugin', async () => {
    const files = await config({
      request_headers: [{ call: 'local_reply', status: 403 }],
      request_body: [{ call: 'trap', kind: 'unreachable' }],
    })
    const { code, tests } = await marked(
      `test { name: "refused" benchmark: true ${SENDS} request_body { input { content: "x" } } }`,
      '--config',
      files,
    )
    expect([code, tests.map(({ streams }) => streams)]).toEqual([0, [100]])
  })

  it('does not measure a test that fails', async () => {
    const { code, tests } = await marked(`
      test {
        name: "wrong" benchmark: true
        request_headers {
          input { content: "GET / HTTP/1.1\\r\\n" }
          result { has_header { key: "x-nowhere" value: "1" } }
        }
      }
      test { name: "right" benchmark: true ${SENDS} }
    `)
    expect(code).toBe(1)
    expect(tests[0]?.failures).toEqual([expect.stringMatching(/marked\.textpb:6: .*x-nowhere/)])
    expect(tests[1]?.streams).toBe(100)
    expect(await bench('--proto', join(folder, 'marked.textpb'), '--plugin', PROBE)).toBe(1)
    expect(out).toContain('wrong: not measured, it fails\n  ')
  })

  it('says when a plugin that passes once does not go on', async () => {
    const files = await config({
      request_headers: [{ call: 'trap', kind: 'unreachable', if: { total: 50 } }],
    })
    const text = `test { name: "wears out" benchmark: true ${SENDS} }`
    const { code, tests } = await marked(text, '--config', files)
    expect(code).toBe(1)
    expect(tests[0]?.failures).toEqual([expect.stringMatching(/passed once, .*unreachable/)])
  })

  it('opens the additional streams that the file or the command line asks for', async () => {
    // 26 batches of 100 are what is measured; more streams than these are additional ones
    const files = ['--config', await config({ create: [{ call: 'trap', if: { total: 2_700 } }] })]
    const text = (env: string): string => `${env} test { name: "a" benchmark: true ${SENDS} }`
    const count = 'num_additional_streams'
    const rate = 'additional_stream_advance_rate'
    expect((await marked(text(''), ...files)).code).toBe(0)
    expect((await marked(text(`env { ${count}: 200 }`), ...files)).code).toBe(1)
    expect((await marked(text(`env { ${count}: 200 }`), ...files, `--${count}`, '0')).code).toBe(0)
    expect((await marked(text(''), ...files, `--${count}`, '200')).code).toBe(1)
    // few streams, which begin anew as often as the rate says
    const few = text(`env { ${count}: 2 ${rate}: 1 }`)
    expect((await marked(few, ...files)).code).toBe(1)
    expect((await marked(text(`env { ${rate}: 50 }`), ...files)).code).toBe(0)
    expect(await bench('--plugin', PROBE, ...files, '--batches', '1', `--${count}`, '200')).toBe(1)
    expect(err).toContain('trapped')
  })

  it('picks tests by name, and says when none is left', async () => {
    const text = `
      test { name: "one" benchmark: true ${SENDS} }
      test { name: "two" benchmark: true ${SENDS} }
    `
    const { tests } = await marked(text, '--only', 'tw')
    expect(tests.map(({ name }) => name)).toEqual(['two'])
    const files = ['--proto', join(folder, 'marked.textpb'), '--plugin', PROBE]
    expect(await bench(...files, '--only', 'three')).toBe(1)
    expect(err).toContain('[bench.nothing_marked]')
    expect(err).toContain('"three"')
  })

  it('answers 2 when called wrongly', async () => {
    expect(await bench()).toBe(2)
    expect(await bench('--plugin', PROBE, '--batches', 'many')).toBe(2)
    expect(await bench('--plugin', PROBE, '--batches', '0')).toBe(2)
    expect(await bench('--plugin', PROBE, '--num_additional_streams', '-1')).toBe(2)
    expect(await bench('--plugin', PROBE, '--num_additional_streams', '100001')).toBe(2)
    expect(err).toContain('from 0 to 100000')
    expect(await bench('--plugin', PROBE, '--additional_stream_advance_rate', '0')).toBe(2)
    expect(await bench('--plugin', PROBE, '--only', 'x')).toBe(2)
    expect(await bench('--help')).toBe(0)
  })
})
