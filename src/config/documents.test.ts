/** Files in, resources and problems with their places out. */
import { describe, expect, it } from 'vitest'
import { placeProblems, readDocuments } from './documents.ts'

/** `file:line:column code message`, of every problem. */
function problems(files: Readonly<Record<string, string>>): string[] {
  const read = readDocuments(Object.entries(files).map(([name, text]) => ({ name, text })))
  return read.problems.map(
    ({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} ${message}`,
  )
}

const upstream = (name: string): string => `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata:
  name: ${name}
spec:
  url: http://${name}.test
`

describe('reading documents', () => {
  it('reads many of them from YAML and JSON, and skips empty ones', () => {
    const json = JSON.stringify({
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'Upstream',
      metadata: { name: 'c' },
      spec: { url: 'http://c.test' },
    })
    const read = readDocuments([
      { name: 'a.yaml', text: `# first\n---\n${upstream('a')}---\n${upstream('b')}---\n` },
      { name: 'c.json', text: json },
    ])
    expect(read.problems).toEqual([])
    expect(read.resources.map(({ resource, file }) => [file, resource.metadata.name])).toEqual([
      ['a.yaml', 'a'],
      ['a.yaml', 'b'],
      ['c.json', 'c'],
    ])
  })

  it('follows anchors', () => {
    const text = upstream('a')
      .replace('name: a', 'name: &n a')
      .replace('spec:', 'spec:\n  aliases: [*n]')
    expect(problems({ 'a.yaml': text })).toEqual([])
  })

  it('reports everything with its place, over documents and files', () => {
    const text = `${upstream('a')}  timout: 5\n---\n${upstream('b').replace('url: http://b.test', 'timeoutMs: soon')}`
    expect(
      problems({
        'a.yaml': text,
        'b.yaml': upstream('c').replace('kind: Upstream', 'kind: Upstreams'),
      }),
    ).toEqual([
      'a.yaml:7:3 config.unknown_field there is no field "timout"; did you mean "timeoutMs"?',
      'a.yaml:14:14 config.invalid expected a number, got a string',
      'b.yaml:2:7 config.unknown_kind there is no kind "Upstreams"; did you mean Upstream?',
    ])
  })

  it('points at the parent of what is missing', () => {
    const text = upstream('a').replace('  name: a', '  labels: {}')
    expect(problems({ 'a.yaml': text })).toEqual(['a.yaml:3:1 config.invalid "name" is required'])
  })

  it.each([
    ['a tab', 'a:\n\t- b\n', 'x.yaml:2:1 config.syntax Tabs'],
    ['a quote that never ends', 'a: "b\n', 'config.syntax'],
    ['a key twice', 'a: 1\na: 2\n', 'x.yaml:2:1 config.syntax Map keys must be unique'],
    ['a tag nobody knows', 'a: !vault b\n', 'x.yaml:1:4 config.syntax Unresolved tag: !vault'],
    ['an anchor that is not there', 'a: *b\n', 'x.yaml:1:4 config.syntax'],
    ['broken JSON', '{"a": [1, }', 'config.syntax'],
    [
      'a number too large to keep',
      'a: 12345678901234567890\n',
      'x.yaml:1:4 config.invalid a number',
    ],
    [
      'an alias of what it is in',
      'a: &x\n  b: *x\n',
      'x.yaml:2:6 config.syntax the anchor "x" contains itself',
    ],
    [
      'nesting without end',
      `a: ${'['.repeat(201)}${']'.repeat(201)}`,
      'config.syntax nested too deeply; 200 levels are the most',
    ],
    [
      'more nesting than a parser bears',
      `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      'config.syntax nested too deeply; 200 levels are the most',
    ],
    [
      'a number key twice, once in words of its own',
      'a:\n  1: x\n  0x1: y\n',
      'x.yaml:3:3 config.syntax Map keys must be unique',
    ],
    ['infinity', 'a: .inf\n', 'x.yaml:1:4 config.invalid a number is expected, not Infinity'],
    ['no number', 'a: .nan\n', 'x.yaml:1:4 config.invalid a number is expected, not NaN'],
  ])('refuses %s', (_what, text, expected) => {
    const found = problems({ 'x.yaml': text })
    expect(found[0]).toContain(expected)
  })

  it('says of too much nesting nothing in the words of the engine', () => {
    const text = `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const problem of problems({ 'x.yaml': text }))
      expect(problem).toContain('nested too deeply')
  })

  it('refuses a resource that is there twice, and says where the first one is', () => {
    expect(problems({ 'a.yaml': upstream('a'), 'b.yaml': upstream('a') })).toEqual([
      'b.yaml:4:9 config.duplicate Upstream default/a is in a.yaml, line 4, already',
    ])
  })

  it('places problems that came from a gateway', () => {
    const { resources } = readDocuments([{ name: 'a.yaml', text: upstream('a') }])
    const problem = { code: 'config.invalid', severity: 'error', message: 'no' } as const
    const placed = placeProblems(
      [
        { ...problem, resource: 'Upstream default/a', path: ['spec', 'url'] },
        { ...problem, resource: 'Upstream default/other', path: ['spec'] },
      ],
      resources,
    )
    expect(placed.map(({ file, line, column }) => [file, line, column])).toEqual([
      ['a.yaml', 6, 8],
      ['', 0, 0],
    ])
  })
})
