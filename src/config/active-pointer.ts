/**
 * The active pointer: the value of the key `active`, which says what runs. Written by the policy
 * object, sometimes moved by hand, so it is checked whenever it is read.
 */
import * as v from 'valibot'
import { sha256Text } from './resources/fields.ts'

export interface ActivePointer {
  /** Only grows. */
  readonly revision: number
  /** sha256 of the snapshot that runs. */
  readonly snapshot: string
  /** sha256 of the snapshot that ran before it; null for the first. */
  readonly previous: string | null
  /** ISO 8601. */
  readonly issuedAt: string
  /** Kept as it is; checked where keys are configured. */
  readonly signature?: string
}

const activePointerSchema: v.GenericSchema<unknown, ActivePointer> = v.strictObject({
  revision: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  snapshot: sha256Text,
  previous: v.nullable(sha256Text),
  issuedAt: v.pipe(v.string(), v.isoTimestamp()),
  signature: v.exactOptional(v.string()),
})

/**
 * Reads the value of the key `active`.
 * @param text the value as stored
 * @returns the pointer, or one sentence that says what is wrong with it
 */
export function parseActivePointer(text: string): { pointer: ActivePointer } | { wrong: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { wrong: `not JSON (${text.length} characters)` }
  }
  const result = v.safeParse(activePointerSchema, value, { abortEarly: true })
  if (result.success) return { pointer: result.output }
  const [issue] = result.issues
  const path = v.getDotPath(issue)
  return { wrong: `${path === null ? 'the value' : path}: ${issue.message}` }
}
