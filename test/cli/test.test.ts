/** `postern test` with real modules: every field of both formats, what fails, what is refused. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { MESSAGES } from '../../src/testing/format/fields.ts'
import type { SuiteReport } from '../../src/testing/suite/run-suite.ts'
import { script } from '../support/machine.ts'
import { FILES, TEXT_PROTO, YAML } from './test-format.ts'

const repository = join(import.meta.dirname, '../..')
const probe = join(repository, 'test/fixtures/probe')

let cwd: string
let out: string
let err: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'postern-test-'))
  await copyFile(join(probe, 'probe-0.2.1.wasm'), join(cwd, 'probe.wasm'))
  await Promise.all(Object.entries(FILES).map(([name, text]) => put(name, text)))
})
afterEach(() => rm(cwd, { recursive: true }))

const put = (name: string, text: string): Promise<void> => writeFile(join(cwd, name), text)

async function test(...args: string[]): Promise<number> {
  out = ''
  err = ''
  return run(['test', ...args], {
    cwd,
    env: {},
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    fetch: () => Promise.reject(new Error('no network')),
  })
}

/** Runs one text proto against the probe with a script. */
async function report(
  text: string,
  steps: Parameters<typeof script>[0] = {},
  ...args: string[]
): Promise<SuiteReport> {
  await put('one.textpb', text)
  await put('one.json', script(steps))
  const files = ['--plugin', 'probe.wasm', '--proto', 'one.textpb', '--config', 'one.json']
  await test(...files, '--json', ...args)
  return JSON.parse(out) as SuiteReport
}

const failures = ({ tests }: SuiteReport): readonly string[] => tests.flatMap((one) => one.failures)

describe('the format', () => {
  it.each(['tests.textpb', 'tests.yaml'])('works with every field, as %s', async (file) => {
    expect(await test('--proto', file)).toBe(0)
    expect(out).toBe(
      [
        'probe.wasm',
        '  passed  all phases',
        '  passed  an answer',
        '  passed  three pieces',
        '  passed  pieces of four bytes',
        '4 passed, 0 failed, 0 skipped',
        '',
      ].join('\n'),
    )
    const log = await readFile(join(cwd, 'plugin.log'), 'utf8')
    expect(log).toContain('all phases: INFO: configured\n')
  })

  it('has every field in both files', () => {
    const fields = Object.values(MESSAGES).flatMap((message) => Object.keys(message))
    const words = (text: string): Set<string> => new Set(text.match(/\w+/g))
    expect(fields.filter((field) => !words(TEXT_PROTO).has(field))).toEqual([])
    // `tests` is the list of `test`
    expect(fields.filter((field) => !words(YAML).has(field))).toEqual(['test'])
  })

  it.each(['0.1.0', '0.2.0', '0.2.1'])('runs a module of ABI %s', async (version) => {
    await copyFile(join(probe, `probe-${version}.wasm`), join(cwd, 'probe.wasm'))
    expect(await test('--proto', 'tests.textpb')).toBe(0)
  })
})

describe('what fails', () => {
  const REQUEST = 'request_headers { input { header { key: ":path" value: "/" } }\nresult {'

  it.each([
    ['has_header { key: "x-a" value: "2" }', 'has_header x-a: expected "2", found "1"'],
    ['has_header { key: "x-b" }', 'has_header x-b: expected "", there is none'],
    ['no_header { key: "X-A" }', 'no_header X-A: found "1"'],
    ['headers { regex: "x-a" }', 'headers: expected a match of /x-a/, found ":path: /", "x-a: 1"'],
    ['body { exact: "b" }', 'body: expected "b", found ""'],
    ['body { file: "none.txt" }', 'none.txt cannot be read: '],
    ['log { invert: true exact: "hello" }', 'log: "hello" was not expected'],
    ['immediate { http_status: 403 }', 'immediate: the plugin did not answer'],
  ])('says how: %s', async (expectation, message) => {
    const { tests, failed } = await report(`test { name: "a"\n${REQUEST}\n${expectation} } } }`, {
      request_headers: [
        { call: 'set_header', name: 'x-a', value: '1' },
        { call: 'log', message: 'hello' },
      ],
    })
    expect(failed).toBe(1)
    const line = expectation.startsWith('body { file') ? 2 : 4
    expect(tests[0]?.failures[0]).toContain(`one.textpb:${line}: request_headers: ${message}`)
  })

  it('says how an answer differs, and what did not come to run', async () => {
    const text = `test { name: "a" ${REQUEST}
      immediate { http_status: 403 grpc_status: 1 details: "x" } } }
      response_headers { result { has_header { key: "a" } } } response_body {} }`
    const found = await report(text, {
      request_headers: [{ call: 'local_reply', status: 401, details: 'who are you' }],
    })
    expect(failures(found)).toEqual([
      'one.textpb:3: request_headers: immediate: expected http_status 403, found 401',
      'one.textpb:3: request_headers: immediate: expected grpc_status 1, found none',
      'one.textpb:3: request_headers: immediate: expected details "x", found "who_are_you"',
      'one.textpb:4: response_headers: it did not come to this: answered in request_headers',
    ])
  })

  it('takes an answer that nobody expected for a failure', async () => {
    const found = await report(`test { name: "a" ${REQUEST} } } }`, {
      request_headers: [{ call: 'close_stream', stream: 0 }],
    })
    expect(failures(found)[0]).toContain('the plugin answered with 503 (wasm_close_stream)')
  })

  it('names a trap once, and the plugin that did not start with its log', async () => {
    const trap = { call: 'trap', kind: 'unreachable' }
    const text = `test { name: "a" ${REQUEST} has_header { key: "a" } } } stream_destroy {} }`
    const trapped = failures(await report(text, { request_headers: [trap] }))
    expect(trapped).toHaveLength(1)
    expect(trapped[0]).toMatch(/^one.textpb:1: request_headers: the plugin trapped: .*unreachable/)
    const [refused] = failures(
      await report(text, {
        configure: [{ call: 'log', level: 4, message: 'bad colour' }, { call: 'return_false' }],
      }),
    )
    expect(refused).toMatch(/plugin_init: .*proxy_on_configure[^]*bad colour/)
    expect(refused?.split('bad colour')).toHaveLength(2)
  })

  it('reads HTTP/1 text strictly', async () => {
    const found = await report('test { name: "a" request_headers { input { content: "hi" } } }')
    expect(failures(found)[0]).toContain('"hi" is no request line')
  })

  it('gives every test a plugin of its own, the clock of the file and nothing to call', async () => {
    const text = `env { time_secs: 7 } test { name: "a" ${REQUEST}
      log { regex: '.*"nanoseconds":"?7000000000.*' } log { regex: '.*"http_call".*"status":2.*' } } } }
      test { name: "b" stream_init { log { regex: '.*"context":2,"parent":1.*' } } }`
    const headers = [':method', ':path', ':authority'].map((name) => [name, 'x'])
    const found = await report(text, {
      request_headers: [{ call: 'time' }, { call: 'http_call', upstream: 'x', headers }],
    })
    expect(found).toMatchObject({ passed: 2, failed: 0 })
  })
})

describe('postern test', () => {
  it('answers JSON of one shape', async () => {
    const one = await report('test { name: "a" } test { name: "bb" }', {}, '--only', 'b')
    expect(one).toEqual({
      plugin: 'probe.wasm',
      passed: 1,
      failed: 0,
      skipped: 1,
      tests: [
        { name: 'a', result: 'skipped', failures: [] },
        { name: 'bb', result: 'passed', failures: [] },
      ],
    })
  })

  it('prints failures under their test and answers 1', async () => {
    await put('two.textpb', 'test { name: "a" stream_init { log { exact: "x" } } }')
    expect(await test('--plugin', 'probe.wasm', '--proto', 'two.textpb')).toBe(1)
    expect(out).toMatch(
      / {2}FAILED {2}a\n {12}two.textpb:1: stream_init: log: expected "x", found /,
    )
  })

  it.each([
    ['env { log_level: INFO }', [], 'one.textpb has no test.'],
    ['test { name: "a" }', ['--only', 'b'], 'one.textpb has no test whose name holds "b".'],
  ])('takes nothing that ran for nothing that passed: %s %j', async (text, only, message) => {
    await put('one.textpb', text)
    expect(await test('--plugin', 'probe.wasm', '--proto', 'one.textpb', ...only)).toBe(1)
    expect([out, err]).toEqual(['', expect.stringContaining(`${message} [test.none]\n`)])
  })

  it('drops lines below --loglevel, and prints the log where it is told', async () => {
    const files = ['--plugin', 'probe.wasm', '--proto', 'tests.yaml', '--only', 'an answer']
    await test(...files, '--loglevel', 'error', '--logfile', '/dev/stdout')
    expect(out).toContain('an answer: ERROR: stream ends\n')
    expect(out).not.toContain('configured')
    await test(...files, '--logfile', '/dev/stdout', '--json')
    expect(() => JSON.parse(out) as unknown).not.toThrow()
    expect(err).toContain('stream ends')
  })

  it('refuses a wrong file with every place', async () => {
    await put('bad.textpb', 'test {\n  name: "a"\n  reqest_headers {}\n  benchmark: 3\n}\n')
    expect(await test('--plugin', 'probe.wasm', '--proto', 'bad.textpb')).toBe(1)
    expect(err).toBe(
      [
        'bad.textpb:3:3: error: Test has no field reqest_headers; did you mean request_headers? [test.file_invalid]',
        'bad.textpb:4:14: error: benchmark is true or false, not 3 [test.file_invalid]',
        'bad.textpb is no test file that can be run. [test.file_invalid]',
        'Correct the test file at the lines named.',
        '',
      ].join('\n'),
    )
    await test('--plugin', 'probe.wasm', '--proto', 'bad.textpb', '--json')
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      error: { code: 'test.file_invalid' },
      problems: [{ file: 'bad.textpb', line: 3, column: 3 }, { line: 4 }],
    })
    await put('bad.yaml', 'tests:\n  - name: a\n    log: []\n')
    expect(await test('--plugin', 'probe.wasm', '--proto', 'bad.yaml')).toBe(1)
    expect(err).toContain('bad.yaml:3:5: error: ')
  })

  it.each([
    [['--proto', 'nowhere.textpb'], 1, 'nowhere.textpb cannot be read'],
    [['--proto', 'tests.textpb', '--plugin', 'nowhere.wasm'], 1, 'nowhere.wasm cannot be read'],
    [['--proto', 'tests.textpb', '--plugin', 'body.txt'], 1, '[cli.module_refused]'],
    [['--proto', 'tests.textpb', '--config', 'nowhere.json'], 1, 'nowhere.json cannot be read'],
    [['--proto', 'tests.textpb', '--loglevel', 'loud'], 2, '--loglevel is one of'],
    [['--nonsense'], 2, 'nonsense'],
    [[], 2, 'Which tests?'],
  ])('answers %j with %i', async (args, code, message) => {
    expect(await test(...args)).toBe(code)
    expect(err).toContain(message)
  })

  it('wants a plugin from somewhere, and helps', async () => {
    await put('no-env.textpb', 'test { name: "a" }')
    expect(await test('--proto', 'no-env.textpb')).toBe(2)
    expect(await test('--help')).toBe(0)
    expect(out).toContain('--proto TESTS')
  })
})
