/**
 * A regular expression in RE2's syntax whose cost grows with the text alone: no pattern makes a request
 * slow. An automaton is made while it runs, from the states that texts have led to; what it keeps is
 * bounded, and is thrown away and begun anew beyond that.
 */
import { type Assertion, parsePattern } from './pattern.ts'
import { type Step, toProgram } from './program.ts'

/** What came before a place in the text, as far as assertions ask. */
type Before = 'start' | 'newline' | 'word' | 'other'

interface State {
  /** Steps to go on from; what they lead to without a character depends on the next one. */
  readonly steps: readonly number[]
  readonly before: Before
  readonly next: Map<number, State>
  accepts: boolean | undefined
}

const END = -1
/** Numbers kept for one expression. */
const MAX_KEPT = 20_000

export class LinearRegex {
  readonly #program: readonly Step[]
  readonly #asserts: boolean
  readonly #states = new Map<string, State>()
  #kept = 0
  #start: State

  /**
   * @param pattern in RE2's syntax
   * @throws PatternError for what is not RE2's, or too large
   */
  constructor(pattern: string) {
    this.#program = toProgram(parsePattern(pattern))
    this.#asserts = this.#program.some(({ kind }) => kind === 'assert')
    this.#start = this.#state([0], 'start')
  }

  /** How many numbers the automaton takes now. */
  get kept(): number {
    return this.#kept
  }

  /** Whether the expression covers the whole text. */
  matches(text: string): boolean {
    let state = this.#start
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) as number
      if (code > 0xffff) i++
      state = state.next.get(code) ?? this.#after(state, code)
      if (state.steps.length === 0) return false
    }
    state.accepts ??= this.#reached(state, END).accepts
    return state.accepts
  }

  #after(state: State, code: number): State {
    if (this.#kept > MAX_KEPT) {
      this.#kept = 0
      this.#states.clear()
      this.#start = this.#state([0], 'start')
    }
    const { steps } = this.#reached(state, code)
    const next = this.#state(
      steps.flatMap((at) => {
        const step = this.#program[at] as Step
        return step.kind === 'take' && step.takes(code) ? [at + 1] : []
      }),
      beforeOf(code),
    )
    state.next.set(code, next)
    this.#kept += 4
    return next
  }

  #state(steps: readonly number[], before: Before): State {
    // without assertions it does not matter what came before
    const key = `${this.#asserts ? before : ''}${steps.join()}`
    let state = this.#states.get(key)
    if (state === undefined) {
      state = { steps, before, next: new Map(), accepts: undefined }
      this.#states.set(key, state)
      this.#kept += steps.length + 8
    }
    return state
  }

  /** The steps that take a character, in order, and whether the end is reached. @param code - the next one */
  #reached(state: State, code: number): { readonly steps: number[]; readonly accepts: boolean } {
    const seen = new Uint8Array(this.#program.length)
    const open = [...state.steps]
    const steps: number[] = []
    let accepts = false
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen[at] === 1) continue
      seen[at] = 1
      const step = this.#program[at] as Step
      if (step.kind === 'take') steps.push(at)
      else if (step.kind === 'match') accepts = true
      else if (step.kind === 'assert') {
        if (holds(step.what, state.before, code)) open.push(at + 1)
      } else {
        open.push(step.to)
        if (step.kind === 'fork') open.push(at + 1)
      }
    }
    return { steps: steps.sort((a, b) => a - b), accepts }
  }
}

function beforeOf(code: number): Before {
  if (code === 0x0a) return 'newline'
  return isWord(code) ? 'word' : 'other'
}

function isWord(code: number): boolean {
  return code !== END && /\w/.test(String.fromCodePoint(code))
}

function holds(what: Assertion, before: Before, next: number): boolean {
  switch (what) {
    case 'text-start':
      return before === 'start'
    case 'text-end':
      return next === END
    case 'line-start':
      return before === 'start' || before === 'newline'
    case 'line-end':
      return next === END || next === 0x0a
    case 'word':
      return (before === 'word') !== isWord(next)
    case 'no-word':
      return (before === 'word') === isWord(next)
  }
}
