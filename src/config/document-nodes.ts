/**
 * What the YAML library takes and a resource cannot hold: a key twice, numbers that JSON rounds, aliases
 * of nothing or of what they are in, and nesting without end.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, visit } from 'yaml'
import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml'

export interface FoundInNodes {
  readonly code: 'config.syntax' | 'config.invalid'
  readonly message: string
  /** Where it stands in the text. */
  readonly offset: number
}

/** More than any resource has, and less than what ends the stack of whoever walks over it. */
const MAX_DEPTH = 200

/** Why a document is refused before anybody walks over it. */
export const TOO_DEEP: string = `nested too deeply; ${MAX_DEPTH} levels are the most`

type Visited = readonly (Document | Node | Pair)[]

/**
 * Looks at every node once.
 * @param document as it was parsed, whole or not
 * @returns what is wrong, in the order of the text
 */
export function findInNodes(document: Document.Parsed): readonly FoundInNodes[] {
  const found: FoundInNodes[] = []
  const add = (node: { range?: readonly number[] | null }, message: string): void => {
    found.push({ code: 'config.syntax', message, offset: node.range?.[0] ?? 0 })
  }
  visit(document, {
    Collection: (_key, node, path) => {
      if (path.filter((part) => isMap(part) || isSeq(part)).length >= MAX_DEPTH) {
        add(node, TOO_DEEP)
        return visit.BREAK
      }
      if (isMap(node)) for (const key of repeatedKeys(node)) add(key, 'Map keys must be unique')
      return undefined
    },
    Scalar: (_key, { value, range }) => {
      if (typeof value !== 'number') return
      const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
      if (exact) return
      const message = Number.isFinite(value)
        ? 'a number that cannot be kept exactly; put it in quotes'
        : `a number is expected, not ${value}`
      found.push({ code: 'config.invalid', message, offset: range?.[0] ?? 0 })
    },
    Alias: (_key, alias, path) => {
      const message = wrongAlias(alias, document, path)
      if (message !== undefined) add(alias, message)
    },
  })
  return found
}

function wrongAlias(alias: Alias, document: Document.Parsed, path: Visited): string | undefined {
  const name = JSON.stringify(alias.source)
  const node = alias.resolve(document)
  if (node === undefined) return `there is no anchor ${name}`
  if (path.includes(node)) return `the anchor ${name} contains itself`
  return undefined
}

function repeatedKeys(map: YAMLMap): readonly Node[] {
  const seen = new Set<unknown>()
  const repeated: Node[] = []
  for (const pair of map.items) {
    const key: unknown = isPair(pair) ? pair.key : undefined
    if (!isScalar(key) || isAlias(key)) continue
    if (seen.has(key.value)) repeated.push(key)
    seen.add(key.value)
  }
  return repeated
}
