/**
 * RE2's syntax → a tree. What RE2 refuses is refused here as well: back references and look-around,
 * which cannot be run in linear time. Captures and greediness are read and forgotten: whether the whole
 * text matches depends on neither.
 * @see https://github.com/google/re2/wiki/Syntax
 */

/** What a place in the text must be, without taking a character. */
export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word' | 'no-word'

export type Node =
  | { readonly kind: 'char'; readonly code: number }
  /** The source of a class that stands for one character, for a JS RegExp with the flag `v`. */
  | { readonly kind: 'set'; readonly source: string; readonly fold: boolean }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence' | 'either'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

/** A pattern that cannot be run, and why. */
export class PatternError extends Error {
  override name = 'PatternError'
}

/** RE2's, repetitions of repetitions included. */
export const MAX_REPEAT = 1000
const MAX_DEPTH = 100

const DIGIT = '0-9'
const WORD = '0-9A-Za-z_'

const PERL: Readonly<Record<string, string>> = { d: DIGIT, w: WORD, s: '\\t\\n\\f\\r ' }

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  '^': 'text-start',
  '\\A': 'text-start',
  $: 'text-end',
  '\\z': 'text-end',
  '\\b': 'word',
  '\\B': 'no-word',
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: '\\t ',
  cntrl: '\\0-\\x1f\\x7f',
  digit: DIGIT,
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: WORD,
  xdigit: '0-9A-Fa-f',
}

const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** General categories but C, which counts unassigned code points here and not in RE2. */
const CATEGORY = /^(?:C[cfos]|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/

interface Flags {
  readonly fold: boolean
  readonly lines: boolean
  readonly dotAll: boolean
}

/**
 * @param pattern as RE2 takes it
 * @throws PatternError for what RE2 or this reader does not take
 */
export function parsePattern(pattern: string): Node {
  return new Parser(pattern).parse()
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0
  #flags: Flags = { fold: false, lines: false, dotAll: false }
  readonly #names = new Set<string>()

  constructor(pattern: string) {
    this.#text = pattern
  }

  parse(): Node {
    const node = this.#either()
    if (this.#at < this.#text.length) throw this.#error('there is a ")" too many')
    return node
  }

  #error(message: string): PatternError {
    return new PatternError(`${message}, at character ${this.#at + 1}`)
  }

  #looking(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#looking(text)) return false
    this.#at += text.length
    return true
  }

  /** What a sticky expression finds here. */
  #scan(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at += found[0].length
    return found
  }

  #next(): number {
    const code = this.#text.codePointAt(this.#at) as number
    this.#at += code > 0xffff ? 2 : 1
    return code
  }

  #either(): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#error('groups are nested too deeply')
    const nodes: Node[] = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    this.#depth--
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'either', nodes }
  }

  #sequence(): Node {
    const nodes: Node[] = []
    while (this.#at < this.#text.length && !this.#looking('|') && !this.#looking(')')) {
      if (this.#take('\\Q')) {
        while (this.#at < this.#text.length && !this.#take('\\E')) nodes.push(this.#literal())
        if (nodes.length === 0) continue
      } else {
        const atom = this.#atom()
        if (atom === undefined) continue
        nodes.push(atom)
      }
      const last = nodes.pop() as Node
      nodes.push(this.#repeated(last))
    }
    return { kind: 'sequence', nodes }
  }

  #repeated(node: Node): Node {
    const range = this.#range()
    if (range === undefined) return node
    this.#take('?')
    if (this.#range() !== undefined) throw this.#error('a repetition is repeated')
    return { kind: 'repeat', node, ...range }
  }

  #range(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const found = this.#scan(/\{(\d{1,9})(,)?(\d{1,9})?\}/y)
    if (found === null) return undefined
    const [, low, comma, high] = found
    if (comma === undefined && high !== undefined) return undefined
    const min = Number(low)
    const max = comma === undefined ? min : high === undefined ? Infinity : Number(high)
    if (min > max) throw this.#error('the bounds of a repetition are the wrong way round')
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
      throw this.#error(`more than ${MAX_REPEAT} repetitions`)
    }
    return { min, max }
  }

  /** @returns undefined for flags, which stand for nothing themselves */
  #atom(): Node | undefined {
    if (this.#range() !== undefined) throw this.#error('there is nothing to repeat')
    const { lines, dotAll } = this.#flags
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return this.#set(this.#class())
    if (this.#take('.')) return this.#set(dotAll ? '[\\0-\\u{10ffff}]' : '[^\\n]')
    const place = this.#scan(/\\[AzbB]|[\^$]/y)?.[0]
    if (place !== undefined) {
      const ofLine = lines && (place === '^' ? 'line-start' : place === '$' && 'line-end')
      return { kind: 'assert', what: ofLine || (ASSERTIONS[place] as Assertion) }
    }
    const named = this.#namedSet()
    if (named !== undefined) return this.#set(named)
    if (this.#looking('\\')) return this.#char(this.#escape())
    return this.#literal()
  }

  #literal(): Node {
    return this.#char(this.#next())
  }

  #char(code: number): Node {
    return this.#flags.fold ? this.#set(`[${written(code)}]`) : { kind: 'char', code }
  }

  #set(source: string): Node {
    return { kind: 'set', source, fold: this.#flags.fold }
  }

  #group(): Node | undefined {
    const before = this.#flags
    if (this.#take('?')) {
      const named = this.#scan(/P?<(\w+)>/y)
      if (named !== null) {
        const name = named[1] as string
        if (this.#names.has(name)) throw this.#error(`two groups are called ${name}`)
        this.#names.add(name)
      } else if (/[=!<]/.test(this.#text.charAt(this.#at))) {
        throw this.#error('look-around is not part of RE2')
      } else {
        const flags = this.#scan(/([imsU]*)(?:-([imsU]+))?([:)])/y)
        if (flags === null) throw this.#error('expected flags or a name behind "(?"')
        this.#flags = changed(before, flags[1] ?? '', flags[2] ?? '')
        // until the end of the group around it
        if (flags[3] === ')') return undefined
      }
    }
    const node = this.#either()
    if (!this.#take(')')) throw this.#error('expected ")"')
    this.#flags = before
    return node
  }

  /** `\d`, `\pL` and the like, as a class of their own. */
  #namedSet(): string | undefined {
    const perl = this.#scan(/\\([dDwWsS])/y)
    if (perl !== null) {
      const letter = perl[1] as string
      const lower = letter.toLowerCase()
      return `[${letter === lower ? '' : '^'}${PERL[lower]}]`
    }
    const unicode = this.#scan(/\\([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (unicode === null) return undefined
    const [, letter, caret, long, short = ''] = unicode
    const name = long ?? short
    const negated = (letter === 'P') !== (caret === '^')
    const source = `\\${negated ? 'P' : 'p'}{${CATEGORY.test(name) ? '' : 'Script='}${name}}`
    try {
      // eslint-disable-next-line no-new
      new RegExp(source, 'v')
    } catch {
      throw this.#error(`the Unicode class ${name} is not known here`)
    }
    return source
  }

  #class(): string {
    const negated = this.#take('^')
    let source = ''
    let first = true
    while (first || !this.#looking(']')) {
      first = false
      // whatever stands before the next ":]" is taken for a name, "]" and ":" as well
      const posix = this.#scan(/\[:(\^?)(.*?):\]/sy)
      if (posix !== null) {
        const [, caret, name = ''] = posix
        const ranges = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined
        if (ranges === undefined) throw this.#error(`there is no class [:${caret}${name}:]`)
        source += `[${caret}${ranges}]`
        continue
      }
      source += this.#namedSet() ?? this.#classRange()
    }
    this.#at++
    return `[${negated ? '^' : ''}${source}]`
  }

  #classRange(): string {
    const low = this.#classChar()
    if (!this.#looking('-') || this.#text[this.#at + 1] === ']') return written(low)
    this.#at++
    const high = this.#classChar()
    if (low > high) throw this.#error('the ends of a range are the wrong way round')
    return `${written(low)}-${written(high)}`
  }

  #classChar(): number {
    if (this.#at >= this.#text.length) throw this.#error('expected "]"')
    return this.#looking('\\') ? this.#escape() : this.#next()
  }

  /** One character behind a backslash. */
  #escape(): number {
    const hex = this.#scan(/\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y)
    if (hex !== null) {
      const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16)
      if (code > 0x10ffff) throw this.#error('there is no such character')
      return code
    }
    const octal = this.#scan(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y)
    if (octal !== null) return Number.parseInt(octal[1] as string, 8)
    const control = this.#scan(/\\([afnrtv])/y)
    if (control !== null) return CONTROL[control[1] as string] as number
    const plain = this.#scan(/\\([!-/:-@[-`{-~])/y)
    if (plain !== null) return (plain[1] as string).charCodeAt(0)
    throw this.#error(
      /[1-9]/.test(this.#text.charAt(this.#at + 1))
        ? 'references back to a group are not part of RE2'
        : 'this escape is not part of RE2',
    )
  }
}

function written(code: number): string {
  return `\\u{${code.toString(16)}}`
}

function changed({ fold, lines, dotAll }: Flags, on: string, off: string): Flags {
  const flag = (letter: string, before: boolean): boolean =>
    off.includes(letter) ? false : before || on.includes(letter)
  return { fold: flag('i', fold), lines: flag('m', lines), dotAll: flag('s', dotAll) }
}
