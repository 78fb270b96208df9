/**
 * YAML → the same tree as text proto. Fields go by their names in the format (`request_headers`) or as
 * JSON has them (`requestHeaders`); a repeated field is a list, or one value; `tests` is `test`, and a
 * chunking plan may stand under the name of its group, `body_chunking_plan`.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLError,
} from 'yaml'
import { bytesToByteString, textToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { Place } from './fields.ts'
import { type FieldNode, type MessageNode, type ScalarNode, SyntaxProblem } from './node.ts'

/** More than the format has levels: what is deeper is an alias of what it is in. */
const MAX_DEPTH = 100

/**
 * @param text - the whole file, one document
 * @throws SyntaxProblem at the first place that makes no sense
 */
export function parseYaml(text: string): MessageNode {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: ['binary'],
  })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) throw new SyntaxProblem(place(error.pos[0]), inOurWords(error))

  const at = (node: unknown): Place => place((node as Node | null)?.range?.[0] ?? 0)

  let depth = 0
  const message = (node: unknown): MessageNode => {
    if (depth >= MAX_DEPTH) throw new SyntaxProblem(at(node), 'nested too deeply')
    depth += 1
    const read = messageInside(node)
    depth -= 1
    return read
  }

  const messageInside = (node: unknown): MessageNode => {
    const resolved = isAlias(node) ? node.resolve(document) : node
    if (!isMap(resolved)) {
      throw new SyntaxProblem(at(node), 'a map of fields was expected')
    }
    const fields = resolved.items.flatMap(({ key, value }) => {
      const name = snakeCase(isScalar(key) ? String(key.value) : '')
      // the name of the group adds nothing to the names in it
      if (name === 'body_chunking_plan' && isMap(value)) return message(value).fields
      return field(name === 'tests' ? 'test' : name, at(key), value)
    })
    return { kind: 'message', fields, at: at(node) }
  }

  const field = (name: string, where: Place, node: unknown): readonly FieldNode[] => {
    const resolved = isAlias(node) ? node.resolve(document) : node
    const nothing: FieldNode = { name, value: undefined, at: where, listed: false }
    if (isSeq(resolved)) {
      if (resolved.items.length === 0) return [nothing]
      return resolved.items.map((item) => ({ name, value: value(item), at: where, listed: true }))
    }
    // a name with nothing behind it sets nothing
    if (resolved === null || (isScalar(resolved) && resolved.value === null)) return [nothing]
    return [{ name, value: value(node), at: where, listed: false }]
  }

  const value = (node: unknown): ScalarNode | MessageNode => {
    const resolved = isAlias(node) ? node.resolve(document) : node
    return isScalar(resolved) ? scalar(resolved, at(resolved)) : message(node)
  }

  if (document.contents === null) return { kind: 'message', fields: [], at: { line: 1, column: 1 } }
  return message(document.contents)
}

/** The library speaks of its own functions, and of its own stack. */
function inOurWords({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'a test file is one document'
  return /call stack|stack overflow/i.test(message) ? 'nested too deeply' : message
}

function scalar(node: Scalar, at: Place): ScalarNode {
  const { value, source } = node
  if (value instanceof Uint8Array) {
    return { kind: 'scalar', text: bytesToByteString(value), quoted: true, at }
  }
  const quoted = typeof value === 'string'
  // numbers and booleans as they were written: a header's value 1.0 is not 1
  const text = quoted ? value : (source ?? String(value))
  return { kind: 'scalar', text: textToByteString(text), quoted, at }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
