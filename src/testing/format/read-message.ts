/**
 * A tree → a message, by the table of fields. Everything that is wrong is reported, not the first
 * alone, each with its place.
 */
import { nearest } from '../../config/nearest.ts'
import { byteStringToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import { type FieldShape, LOG_LEVELS, type Message, type MessageName, MESSAGES } from './fields.ts'
import type { FieldNode, FormatProblem, MessageNode, ScalarNode } from './node.ts'

export interface ReadOptions {
  /** A string may stand without quotes, whatever it looks like (YAML). */
  readonly bareStrings: boolean
}

const SHAPES: Readonly<Record<MessageName, Readonly<Record<string, FieldShape>>>> = MESSAGES

/** @returns the message, or what is wrong with it */
export function readMessage<Name extends MessageName>(
  name: Name,
  node: MessageNode,
  options: ReadOptions,
): { readonly message: Message<Name>; readonly problems: readonly FormatProblem[] } {
  const reader = new Reader(options)
  const message = reader.message(name, node)
  // the table that fills it is the table its type is made from
  return { message: message as unknown as Message<Name>, problems: reader.problems }
}

class Reader {
  readonly problems: FormatProblem[] = []
  readonly #options: ReadOptions

  constructor(options: ReadOptions) {
    this.#options = options
  }

  message(name: MessageName, node: MessageNode): Readonly<Record<string, unknown>> {
    const shapes = SHAPES[name]
    const values: Record<string, unknown> = {}
    const chosen = new Map<string, string>()
    for (const [field, { repeated }] of Object.entries(shapes)) {
      values[field] = repeated ? [] : undefined
    }
    for (const field of node.fields) {
      const shape = Object.hasOwn(shapes, field.name) ? shapes[field.name] : undefined
      if (shape === undefined) {
        const meant = nearest(field.name, Object.keys(shapes))
        const hint = meant === undefined ? '' : `; did you mean ${meant}?`
        this.#problem(field, `${name} has no field ${field.name}${hint}`)
        continue
      }
      if (field.value === undefined) continue
      this.#exclusive(field, shape, chosen)
      const value = this.#value(field.name, field.value, shape)
      const list = values[field.name]
      if (Array.isArray(list)) list.push(value)
      else if (field.listed) this.#problem(field, `${field.name} takes one value, not a list`)
      else if (list === undefined) values[field.name] = value
      else this.#problem(field, `${field.name} is there already`)
    }
    for (const [field, { required }] of Object.entries(shapes)) {
      const given = node.fields.some((one) => one.name === field && one.value !== undefined)
      if (required && !given) this.#problem(node, `${name} needs ${field}`)
    }
    if (name === 'StringMatcher' && !chosen.has('matcher')) {
      this.#problem(node, 'StringMatcher needs one of exact, regex, file')
    }
    return { ...values, at: node.at }
  }

  #exclusive(field: FieldNode, { oneof }: FieldShape, chosen: Map<string, string>): void {
    if (oneof === undefined) return
    const other = chosen.get(oneof)
    if (other !== undefined && other !== field.name) {
      this.#problem(field, `${field.name} cannot be given together with ${other}`)
    }
    chosen.set(oneof, field.name)
  }

  #value(name: string, value: ScalarNode | MessageNode, { type }: FieldShape): unknown {
    const { at } = value
    if (Object.hasOwn(SHAPES, type)) {
      if (value.kind === 'message') return this.message(type as MessageName, value)
      this.problems.push({ ...at, message: `${name} is a message: ${name} { … }` })
      return undefined
    }
    if (value.kind === 'scalar') return this.#scalar(name, type, value)
    this.problems.push({ ...at, message: `${name} is a ${type}, not a message` })
    return undefined
  }

  #scalar(name: string, type: string, node: ScalarNode): unknown {
    const expected = (what: string): undefined => {
      const shown = node.quoted ? JSON.stringify(node.text) : node.text
      this.#problem(node, `${name} is ${what}, not ${shown}`)
    }
    switch (type) {
      case 'bytes':
      case 'string':
        if (!node.quoted && !this.#options.bareStrings) return expected('a string in quotes')
        return type === 'bytes' ? node.text : (decoded(node.text) ?? expected('UTF-8'))
      case 'bool':
        return bool(node) ?? expected('true or false')
      case 'LogLevel':
        return logLevel(node, this.#options) ?? expected(Object.keys(LOG_LEVELS).join(', '))
      default:
        return integer(node, type) ?? expected(`a number of type ${type}`)
    }
  }

  #problem({ at }: Pick<FieldNode, 'at'>, message: string): void {
    this.problems.push({ ...at, message })
  }
}

function decoded(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(byteStringToBytes(bytes))
  } catch {
    return undefined
  }
}

function bool({ text, quoted }: ScalarNode): boolean | undefined {
  if (quoted) return undefined
  if (['true', 'True', 't', '1'].includes(text)) return true
  return ['false', 'False', 'f', '0'].includes(text) ? false : undefined
}

function logLevel({ text, quoted }: ScalarNode, options: ReadOptions): number | undefined {
  const levels: Readonly<Record<string, number>> = LOG_LEVELS
  // in YAML a name is a string, and people write it small
  const name = options.bareStrings ? text.toUpperCase() : quoted ? '' : text
  if (Object.hasOwn(levels, name)) return levels[name]
  const number = Number(name === '' ? Number.NaN : name)
  return Object.values(levels).includes(number) ? number : undefined
}

const INTEGER = /^-?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/

function integer({ text, quoted }: ScalarNode, type: string): number | undefined {
  if (quoted || !INTEGER.test(text)) return undefined
  const digits = text.replace('-', '')
  const number = Number(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  const value = text.startsWith('-') ? -number : number
  const [least, most] = {
    uint32: [0, 2 ** 32 - 1],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    uint64: [0, Number.MAX_SAFE_INTEGER],
    int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  }[type] ?? [0, 0]
  return value >= (least ?? 0) && value <= (most ?? 0) ? value : undefined
}
