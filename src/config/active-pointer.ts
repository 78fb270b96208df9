/**
 * The active pointer: the value of the key `active`, which says what runs. Written by the policy
 * object, sometimes moved by hand, so it is checked whenever it is read. Who signed it is checked by
 * `signing/verify-pointer.ts`, where a gateway trusts keys.
 */
import * as v from 'valibot'
import { sha256Text, text } from './text-field.ts'

export interface PointerSignature {
  /** The first 16 characters of the public key: which one to check with. */
  readonly keyId: string
  /** Ed25519 over the canonical JSON of the pointer's other members; base64url. */
  readonly value: string
}

/** What a signature is over. */
export interface UnsignedPointer {
  /** Only grows. */
  readonly revision: number
  /** sha256 of the snapshot that runs. */
  readonly snapshot: string
  /** sha256 of the snapshot that ran before it; null for the first. */
  readonly previous: string | null
  /** ISO 8601. */
  readonly issuedAt: string
  /** ISO 8601: from then on no gateway takes it that checks signatures; what runs it goes on. */
  readonly expiresAt?: string
}

export interface ActivePointer extends UnsignedPointer {
  readonly signature?: PointerSignature
}

/** When something happened or is to happen. */
export const timestampText: v.GenericSchema<string> = v.pipe(v.string(), v.isoTimestamp())

export const activePointerSchema: v.GenericSchema<unknown, ActivePointer> = v.strictObject({
  revision: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  snapshot: sha256Text,
  previous: v.nullable(sha256Text),
  issuedAt: timestampText,
  expiresAt: v.exactOptional(timestampText),
  signature: v.exactOptional(
    v.strictObject({
      keyId: text(/^[\w-]{16}$/, 'the first 16 characters of a public key'),
      value: text(/^[\w-]{86}$/, 'an Ed25519 signature, 86 characters of base64url'),
    }),
  ),
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
