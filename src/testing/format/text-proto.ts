/**
 * Text proto → a tree with places. Knows the syntax alone; which fields there are is not its business.
 * @see https://protobuf.dev/reference/protobuf/textformat-spec/
 */
import { type FieldNode, type MessageNode, type ScalarNode, SyntaxProblem } from './node.ts'
import { type Token, Tokens } from './text-proto-tokens.ts'

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '<': '>' }

/**
 * @param text - the whole file
 * @throws SyntaxProblem at the first place that makes no sense
 */
export function parseTextProto(text: string): MessageNode {
  const tokens = new Tokens(text)
  const fields = parseFields(tokens, undefined)
  return { kind: 'message', fields, at: { line: 1, column: 1 } }
}

/** @param closing - what ends the message; undefined for the file itself */
function parseFields(tokens: Tokens, closing: string | undefined): FieldNode[] {
  const fields: FieldNode[] = []
  for (;;) {
    const { peek } = tokens
    if (peek.kind === 'end' && closing === undefined) return fields
    if (closing !== undefined && tokens.takeSign(closing)) return fields
    if (peek.kind !== 'name') {
      const wanted = closing === undefined ? 'a field' : `a field or ${closing}`
      throw new SyntaxProblem(peek.at, `${wanted} was expected, not ${described(peek)}`)
    }
    fields.push(...parseField(tokens))
    // one separator between fields is allowed and means nothing
    if (!tokens.takeSign(',')) tokens.takeSign(';')
  }
}

function parseField(tokens: Tokens): FieldNode[] {
  const { text: name, at } = tokens.take()
  const colon = tokens.takeSign(':')
  if (!tokens.takeSign('[')) {
    return [{ name, value: parseValue(tokens, colon), at, listed: false }]
  }
  const fields: FieldNode[] = []
  while (!tokens.takeSign(']')) {
    if (fields.length > 0 && !tokens.takeSign(',')) {
      throw new SyntaxProblem(tokens.peek.at, `, or ] was expected, not ${described(tokens.peek)}`)
    }
    fields.push({ name, value: parseValue(tokens, colon), at, listed: true })
  }
  return fields.length > 0 ? fields : [{ name, value: undefined, at, listed: true }]
}

function parseValue(tokens: Tokens, colon: boolean): ScalarNode | MessageNode {
  const token = tokens.take()
  const { kind, text, at } = token
  const closing = kind === 'sign' ? CLOSING[text] : undefined
  if (closing !== undefined) {
    return { kind: 'message', fields: parseFields(tokens, closing), at }
  }
  if (!colon) throw new SyntaxProblem(at, `: or { was expected, not ${described(token)}`)
  if (kind === 'name') return { kind: 'scalar', text, quoted: false, at }
  if (kind !== 'string')
    throw new SyntaxProblem(at, `a value was expected, not ${described(token)}`)
  let bytes = text
  // neighbours are one string
  while (tokens.peek.kind === 'string') bytes += tokens.take().text
  return { kind: 'scalar', text: bytes, quoted: true, at }
}

function described({ kind, text }: Token): string {
  if (kind === 'end') return 'the end of the file'
  return kind === 'string' ? 'a string' : JSON.stringify(text)
}
