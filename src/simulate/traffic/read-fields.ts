/** Reads the members of a JSON value from outside, and says which is wrong and what was expected. */
import { formatPath, type FieldPath } from '../../config/problem.ts'
import { nearest } from '../../config/nearest.ts'
import { textToByteString, textToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import type { CalloutAnswer, HeaderList, RecordedAnswer } from './exchange.ts'

/** What is wrong in a recording. Never a value of it: that could be secret. */
export class TrafficError extends Error {
  override readonly name = 'TrafficError'
  readonly path: FieldPath

  constructor(path: FieldPath, message: string) {
    super(path.length === 0 ? message : `${formatPath(path)}: ${message}`)
    this.path = path
  }
}

export type Members = Readonly<Record<string, unknown>>

const FAILURES = ['connect', 'timeout', 'reset'] as const
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** @param known - what may be in it; absent: anything */
export function objectAt(value: unknown, path: FieldPath, known?: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TrafficError(path, 'expected an object')
  }
  for (const name of known === undefined ? [] : Object.keys(value)) {
    if (known?.includes(name)) continue
    const near = nearest(name, known ?? [])
    const hint = near === undefined ? `there are ${known?.join(', ')}` : `did you mean "${near}"?`
    throw new TrafficError(path, `there is no field ${JSON.stringify(name.slice(0, 50))}; ${hint}`)
  }
  return value as Members
}

export function listAt(value: unknown, path: FieldPath): readonly unknown[] {
  if (!Array.isArray(value)) throw new TrafficError(path, 'expected a list')
  return value as readonly unknown[]
}

export function textAt(value: unknown, path: FieldPath): string {
  if (typeof value !== 'string') throw new TrafficError(path, 'expected a text')
  return value
}

/** Upper case where it is one that HTTP defines; others are as they are written. */
export function methodAt(value: unknown, path: FieldPath): string {
  const method = textAt(value, path)
  if (!METHOD.test(method)) throw new TrafficError(path, 'expected a method, as GET')
  return /^(get|head|post|put|patch|delete|options)$/i.test(method) ? method.toUpperCase() : method
}

/** @returns 200 to 599 */
export function statusAt(value: unknown, path: FieldPath): number {
  if (!Number.isInteger(value) || (value as number) < 200 || (value as number) > 599) {
    throw new TrafficError(path, 'expected a status from 200 to 599')
  }
  return value as number
}

/** A text, or `{ "base64": … }` for what is none. */
export function bodyAt(value: unknown, path: FieldPath): Uint8Array<ArrayBuffer> {
  if (typeof value === 'string') return textToBytes(value)
  const { base64 } = objectAt(value, path, ['base64'])
  return base64At(base64, [...path, 'base64'])
}

export function base64At(value: unknown, path: FieldPath): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(textAt(value, path)), (one) => one.charCodeAt(0))
  } catch {
    throw new TrafficError(path, 'expected base64')
  }
}

/** An object of names and values, or a list of pairs; a name may have several values. */
export function headersAt(value: unknown, path: FieldPath): HeaderList {
  if (value === undefined) return []
  const pairs: [unknown, unknown, FieldPath][] = Array.isArray(value)
    ? value.map((pair: unknown, at) => {
        const [name, text] = listAt(pair, [...path, at])
        return [name, text, [...path, at]]
      })
    : Object.entries(objectAt(value, path)).flatMap(([name, text]) =>
        [text].flat().map((one): [unknown, unknown, FieldPath] => [name, one, [...path, name]]),
      )
  return pairs.map(([name, text, at]) => headerAt(name, text, at))
}

/** One header. Names come out in lower case, values as byte strings. */
export function headerAt(name: unknown, value: unknown, path: FieldPath): HeaderList[number] {
  const line = [textAt(name, path).toLowerCase(), textToByteString(textAt(value, path))] as const
  try {
    new Headers().append(...line)
  } catch {
    throw new TrafficError(path, 'expected a header that HTTP can carry')
  }
  return line
}

export function answerAt(value: unknown, path: FieldPath): RecordedAnswer {
  const { status, headers, body = '' } = objectAt(value, path, ['status', 'headers', 'body'])
  return {
    status: statusAt(status, [...path, 'status']),
    headers: plain(headersAt(headers, [...path, 'headers'])),
    body: bodyAt(body, [...path, 'body']),
  }
}

/** Headers of a body whose coding and framing are gone. */
export function plain(headers: HeaderList): HeaderList {
  return headers.filter(
    ([name]) => !['content-encoding', 'content-length', 'transfer-encoding'].includes(name),
  )
}

const CALLOUT = ['upstream', 'method', 'path', 'response', 'failure']

export function calloutAt(value: unknown, path: FieldPath): CalloutAnswer {
  const members = objectAt(value, path, CALLOUT)
  const { upstream, method, path: asked, response, failure } = members
  if ((response === undefined) === (failure === undefined)) {
    throw new TrafficError(path, 'expected one of response and failure')
  }
  const broken = FAILURES.find((one) => one === failure)
  if (response === undefined && broken === undefined) {
    throw new TrafficError([...path, 'failure'], `expected one of ${FAILURES.join(', ')}`)
  }
  return {
    upstream: textAt(upstream, [...path, 'upstream']),
    ...(method !== undefined && { method: methodAt(method, [...path, 'method']) }),
    ...(asked !== undefined && { path: textAt(asked, [...path, 'path']) }),
    answer: broken ? { failure: broken } : answerAt(response, [...path, 'response']),
  }
}

/** Milliseconds since the Unix epoch, of a number or of a date as ISO 8601 has it. */
export function timeAt(value: unknown, path: FieldPath): number {
  const time = typeof value === 'string' ? Date.parse(value) : value
  if (typeof time === 'number' && Number.isFinite(time) && time >= 0) return time
  throw new TrafficError(path, 'expected a date as 2026-01-31T12:00:00Z, or milliseconds')
}
