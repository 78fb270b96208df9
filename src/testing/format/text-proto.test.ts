/** Text proto as the specification has it: values, escapes, separators, comments, places. */
import { describe, expect, it } from 'vitest'
import { type FieldNode, type MessageNode, SyntaxProblem } from './node.ts'
import { parseTextProto } from './text-proto.ts'

/** Names and values alone. */
function plain({ fields }: MessageNode): unknown[] {
  return fields.map(({ name, value }: FieldNode) => [
    name,
    value?.kind === 'message' ? plain(value) : value?.text,
  ])
}

function problem(text: string): string {
  try {
    parseTextProto(text)
  } catch (error) {
    if (error instanceof SyntaxProblem)
      return `${error.at.line}:${error.at.column} ${error.message}`
    throw error
  }
  return 'no problem'
}

describe('text proto', () => {
  it.each<[string, string, unknown]>([
    [
      'scalars',
      'a: "x" b: 1 c: -2 d: true',
      [
        ['a', 'x'],
        ['b', '1'],
        ['c', '-2'],
        ['d', 'true'],
      ],
    ],
    [
      'separators',
      'a: 1, b: 2; c: 3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    [
      'messages',
      'a { b: 1 } c: { } d < e: 2 >',
      [
        ['a', [['b', '1']]],
        ['c', []],
        ['d', [['e', '2']]],
      ],
    ],
    [
      'lists',
      'a: [1, 2] b [{ c: 3 }, {}] d: []',
      [
        ['a', '1'],
        ['a', '2'],
        ['b', [['c', '3']]],
        ['b', []],
        ['d', undefined],
      ],
    ],
    ['comments', '# one\na: 1 # two\n#three', [['a', '1']]],
    ['neighbouring strings', `a: "x" 'y'\n "z"`, [['a', 'xyz']]],
    [
      'numbers as they are written',
      'a: 0x1F b: 017 c: 1.5e-3',
      [
        ['a', '0x1F'],
        ['b', '017'],
        ['c', '1.5e-3'],
      ],
    ],
    ['a byte order mark', '\uFEFFa: 1', [['a', '1']]],
    ['nothing', ' # only a comment', []],
  ])('reads %s', (_, text, expected) => {
    expect(plain(parseTextProto(text))).toEqual(expected)
  })

  it.each([
    ['\\n\\r\\t\\\\\\"\\\'', '\n\r\t\\"\''],
    ['\\a\\b\\f\\v\\?', '\x07\b\f\v?'],
    ['\\101\\0\\377', 'A\0\xff'],
    ['\\x41\\xff\\xA', 'A\xff\n'],
    ['\\u00e9\\U0001F600', '\xc3\xa9\xf0\x9f\x98\x80'],
    ['é', '\xc3\xa9'],
  ])('unescapes %s into bytes', (written, bytes) => {
    expect(plain(parseTextProto(`a: "${written}"`))).toEqual([['a', bytes]])
  })

  it('keeps the place of every field and value', () => {
    const { fields } = parseTextProto('a: 1\n\n  b {\n    c: "x\\n"\n  }\n')
    expect(fields[0]?.at).toEqual({ line: 1, column: 1 })
    expect(fields[1]?.at).toEqual({ line: 3, column: 3 })
    const inner = fields[1]?.value
    expect(inner?.kind === 'message' && inner.fields[0]?.value?.at).toEqual({ line: 4, column: 8 })
  })

  it.each([
    ['a: "x', '1:4 the string does not end on its line'],
    ['a: "x\ny"', '1:4 the string does not end on its line'],
    ['a: "\\q"', '1:5 there is no escape \\q'],
    ['a: "\\777"', '1:5 \\777 is no byte'],
    ['a {\n  b: 1\n', '3:1 a field or } was expected, not the end of the file'],
    ['a { b: 1 >', '1:10 a field or } was expected, not ">"'],
    ['}', '1:1 a field was expected, not "}"'],
    ['a 1', '1:3 : or { was expected, not "1"'],
    ['a:', '1:3 a value was expected, not the end of the file'],
    ['a: [1 2]', '1:7 , or ] was expected, not "2"'],
    ['a: 1\n  =', '2:3 "=" makes no sense here'],
  ])('refuses %j', (text, expected) => {
    expect(problem(text)).toBe(expected)
  })
})
