/** Texts that a condition of a route holds for. */
import { parsePattern, type Node } from '../../config/regex/pattern.ts'
import type { ValueMatch } from '../../config/snapshot.ts'
import type { SeededRandom } from '../seeded-random.ts'

/** A repetition without bound is repeated so often at the most. */
const MORE = 4
const PRINTABLE: readonly string[] = Array.from({ length: 0x7f - 0x21 }, (_one, at) =>
  String.fromCharCode(0x21 + at),
)

/** A value that a condition on a header or query parameter holds for, as far as one can be found. */
export function valueMatching({ type, value }: ValueMatch, random: SeededRandom): string {
  return type === 'RegularExpression' ? textMatching(value, random) : value
}

/**
 * A text that matches a regular expression as a whole. Its assertions are not looked at, so whoever asks
 * has to see whether it does.
 * @param pattern - one that RE2 takes
 */
export function textMatching(pattern: string, random: SeededRandom): string {
  return textOf(parsePattern(pattern), random)
}

function textOf(node: Node, random: SeededRandom): string {
  switch (node.kind) {
    case 'char':
      return String.fromCodePoint(node.code)
    case 'set': {
      const set = new RegExp(`^${node.source}$`, node.fold ? 'vi' : 'v')
      const others = [' ', '\t', 'é', '中']
      const ones = [
        ...PRINTABLE.filter((one) => set.test(one)),
        ...others.filter((one) => set.test(one)),
      ]
      // letters and digits are in most paths, other signs have a meaning of their own there
      const plain = ones.filter((one) => /[\w-]/.test(one))
      return ones.length === 0 ? '' : random.pick(plain.length === 0 ? ones : plain)
    }
    case 'assert':
      return ''
    case 'sequence':
      return node.nodes.map((one) => textOf(one, random)).join('')
    case 'either':
      return node.nodes.length === 0 ? '' : textOf(random.pick(node.nodes), random)
    case 'repeat': {
      const max = Math.min(node.max, node.min + MORE)
      const times = node.min + random.below(max - node.min + 1)
      return Array.from({ length: times }, () => textOf(node.node, random)).join('')
    }
  }
}
