/** A pattern's tree → the steps of a nondeterministic automaton (Thompson's construction). */
import { type Assertion, MAX_REPEAT, type Node, PatternError } from './pattern.ts'

/** Goes on to the next step and to another one, or to that one alone. */
interface Branch {
  readonly kind: 'fork' | 'jump'
  to: number
}

export type Step =
  /** Takes a character and goes on to the next step. */
  | { readonly kind: 'take'; readonly takes: (code: number) => boolean }
  | Readonly<Branch>
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'match' }

/** What one character of a text costs at the most, so that no pattern is slow on any text. */
const MAX_STEPS = 1000

/** @throws PatternError when it has too many steps */
export function toProgram(root: Node): readonly Step[] {
  const steps: Step[] = []
  let visits = 0
  /** How often what is emitted stands in repetitions around it. */
  let times = 1

  const put = <T extends Step>(step: T): T => {
    if (steps.push(step) > MAX_STEPS) throw new PatternError(`it has more than ${MAX_STEPS} steps`)
    return step
  }

  const emit = (node: Node): void => {
    // repetitions of nothing add no steps
    if (++visits > 20 * MAX_STEPS) throw new PatternError('it repeats too much')
    switch (node.kind) {
      case 'char': {
        const { code } = node
        put({ kind: 'take', takes: (other) => other === code })
        return
      }
      case 'set': {
        const one = new RegExp(`^${node.source}$`, node.fold ? 'vi' : 'v')
        put({ kind: 'take', takes: (code) => one.test(String.fromCodePoint(code)) })
        return
      }
      case 'assert':
        put(node)
        return
      case 'sequence':
        for (const part of node.nodes) emit(part)
        return
      case 'either':
        emitEither(node.nodes)
        return
      case 'repeat':
        emitRepeat(node)
    }
  }

  const branch = (kind: Branch['kind'], to = 0): Branch => put({ kind, to })

  const emitEither = (nodes: readonly Node[]): void => {
    const ends: Branch[] = []
    for (const [index, part] of nodes.entries()) {
      const fork = index === nodes.length - 1 ? undefined : branch('fork')
      emit(part)
      if (fork === undefined) continue
      ends.push(branch('jump'))
      fork.to = steps.length
    }
    for (const end of ends) end.to = steps.length
  }

  const emitRepeat = ({ node, min, max }: Extract<Node, { kind: 'repeat' }>): void => {
    const around = times
    times *= Math.max(1, max === Infinity ? min : max)
    // RE2 counts repetitions of nothing as well
    if (times > MAX_REPEAT) throw new PatternError(`it repeats more than ${MAX_REPEAT} times`)
    for (let i = 0; i < min; i++) emit(node)
    const skips: Branch[] = []
    if (max === Infinity) {
      const start = steps.length
      skips.push(branch('fork'))
      emit(node)
      branch('jump', start)
    } else {
      for (let i = min; i < max; i++) {
        skips.push(branch('fork'))
        emit(node)
      }
    }
    for (const skip of skips) skip.to = steps.length
    times = around
  }

  emit(root)
  put({ kind: 'match' })
  return steps
}
