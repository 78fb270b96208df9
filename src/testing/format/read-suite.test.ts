/** Test files that are read, and those that are refused, with the place of everything wrong. */
import { describe, expect, it } from 'vitest'
import { readSuite, type Suite } from './read-suite.ts'

function problems(name: string, text: string): string[] {
  const read = readSuite(name, text)
  if (read.ok) return []
  return read.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

function suite(name: string, text: string): Suite {
  const read = readSuite(name, text)
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.suite
}

const textpb = (text: string): string[] => problems('tests.textpb', text)
const yaml = (text: string): string[] => problems('tests.yaml', text)

describe('a test file in text proto', () => {
  it('fills what is there and leaves out the rest', () => {
    const { env, test } = suite(
      'tests.textpb',
      'env { log_level: WARN time_secs: 12 }\ntest { name: "a" request_headers { result {} } }',
    )
    expect(env).toMatchObject({ log_level: 4, time_secs: 12, wasm_path: undefined })
    expect(test[0]).toMatchObject({
      name: 'a',
      request_body: [],
      request_headers: { input: undefined, result: { has_header: [], immediate: undefined } },
      at: { line: 2, column: 6 },
    })
  })

  it.each([
    ['tets {}', '1:1 TestSuite has no field tets; did you mean test?'],
    [
      'test {\n  name: "a"\n  request_header {}\n}',
      '3:3 Test has no field request_header; did you mean request_headers?',
    ],
    ['test { name: "a" zzzzzzzz: 1 }', '1:18 Test has no field zzzzzzzz'],
    ['test {}', '1:6 Test needs name'],
    ['test { name: 1 }', '1:14 name is a string in quotes, not 1'],
    ['test { name: "\\377" }', '1:14 name is UTF-8, not "ÿ"'],
    ['test { name: "a" benchmark: yes }', '1:29 benchmark is true or false, not yes'],
    ['test { name: "a" name: "b" }', '1:18 name is there already'],
    ['test { name: ["a"] }', '1:8 name takes one value, not a list'],
    ['test { name: "a" chunk_size: 1.5 }', '1:30 chunk_size is a number of type int64, not 1.5'],
    ['test { name: "a" chunk_size: 0 }', '1:6 chunk_size is at least 1'],
    [
      'test { name: "a" num_chunks: 2 chunk_size: 2 }',
      '1:32 chunk_size cannot be given together with num_chunks',
    ],
    [
      'test { name: "a" num_chunks: 2\n request_body {}\n request_body {} }',
      '3:15 with num_chunks there is one request_body at the most',
    ],
    [
      'test { name: "a" request_body { input { header { key: "a" } } } }',
      '1:39 the input of a body is content or file',
    ],
    [
      'test { name: "a" request_headers { input { content: "a" file: "b" } } }',
      '1:57 file cannot be given together with content',
    ],
    [
      'test { name: "a" request_headers: 1 }',
      '1:35 request_headers is a message: request_headers { … }',
    ],
    ['test { name { } }', '1:13 name is a string, not a message'],
    [
      'test { name: "a" plugin_init { log {} } }',
      '1:36 StringMatcher needs one of exact, regex, file',
    ],
    ['test { name: "a" plugin_init { immediate {} } }', '1:42 Immediate needs http_status'],
    [
      'env { log_level: LOUD }',
      '1:18 log_level is UNDEFINED, TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL, not LOUD',
    ],
    ['env { time_secs: -1 }', '1:18 time_secs is a number of type uint64, not -1'],
    ['test { name: "a" }\ntest { name: "a" }', '2:6 a test "a" is in line 1 already'],
  ])('refuses %s', (text, expected) => {
    expect(textpb(text)).toContain(expected)
  })

  it('says all that is wrong, in the order of the file', () => {
    const found = textpb('env { wasm_pat: "a" }\ntest { nam: "a"\n  benchmrk: true }')
    expect(found.map((line) => line.split(' ')[0])).toEqual(['1:7', '2:6', '2:8', '3:3'])
  })

  it('compiles regular expressions as RE2 does', () => {
    const [found] = textpb('test { name: "a" plugin_init {\n log { regex: "(?=x)" } } }')
    expect(found).toMatch(/^2:6 regex: /)
    expect(textpb('test { name: "a" plugin_init { log { regex: "(?i)a+\\\\d" } } }')).toEqual([])
  })

  it('takes numbers in all three bases', () => {
    const read = (secs: string): unknown => suite('a.textpb', `env { time_secs: ${secs} }`).env
    expect(read('0x10')).toMatchObject({ time_secs: 16 })
    expect(read('010')).toMatchObject({ time_secs: 8 })
    expect(read('0')).toMatchObject({ time_secs: 0 })
  })
})

describe('a test file in YAML', () => {
  it('says the same as text proto', () => {
    const written = suite(
      'tests.yaml',
      `
env: { log_level: warn, time_secs: 12 }
tests:
  - name: a
    body_chunking_plan: { num_chunks: 3 }
    properties: { path: a.b, value: !!binary AP8= }
    requestHeaders:
      input:
        header:
          - { key: x-number, value: 1.0 }
          - { key: x-flag, value: yes }
      result:
        noHeader: { key: x-gone }
    response_body:
`,
    )
    expect(written.env).toMatchObject({ log_level: 4, time_secs: 12 })
    expect(written.test[0]).toMatchObject({
      name: 'a',
      num_chunks: 3,
      properties: [{ path: 'a.b', value: '\0\xff' }],
      request_headers: {
        input: { header: [{ value: '1.0' }, { value: 'yes' }] },
        result: { no_header: [{ key: 'x-gone' }] },
      },
      response_body: [],
    })
  })

  it('follows anchors', () => {
    const { test } = suite(
      'a.yml',
      'test:\n - name: a\n   plugin_init: &x\n    log: { exact: hi }\n - { name: b, plugin_init: *x }',
    )
    expect(test[1]?.plugin_init?.log[0]?.exact).toBe('hi')
  })

  it.each([
    ['tests:\n  - nam: a', '2:5 Test has no field nam; did you mean name?'],
    ['tests: 1', '1:8 test is a message: test { … }'],
    ['a: [', '1:5 '],
    ['- a', '1:1 a map of fields was expected'],
    ['tests:\n  - name: a\n    benchmark: "true"', '3:16 benchmark is true or false, not "true"'],
    ['tests:\n  - name: *nowhere', '2:11 a map of fields was expected'],
  ])('refuses %j', (text, expected) => {
    const [first = ''] = yaml(text)
    expect(first.startsWith(expected) || first === expected).toBe(true)
  })

  it.each([
    ['an alias of what it is in', 'env: &x\n  env: *x\n', 'nested too deeply'],
    ['nesting without end', `env: ${'['.repeat(20_000)}`, 'nested too deeply'],
    ['two documents', 'env: {}\n---\nenv: {}\n', 'a test file is one document'],
  ])('refuses %s', (_what, text, expected) => {
    expect(yaml(text).join()).toContain(expected)
  })

  it('takes an empty file for a suite without tests', () => {
    expect(suite('a.yaml', '').test).toEqual([])
  })
})
