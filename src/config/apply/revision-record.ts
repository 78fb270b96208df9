/**
 * The value of a key `revision.<n>`: who made this revision, when, why, and what it names. Never
 * changed once the pointer has named it; a rollback is a new revision naming an old snapshot.
 */
import * as v from 'valibot'
import type { PointerSignature } from '../active-pointer.ts'
import type { Change } from './diff.ts'

export interface RevisionRecord {
  readonly revision: number
  /** sha256 of the snapshot. */
  readonly snapshot: string
  /** sha256 of the one before; null for the first. */
  readonly previous: string | null
  /** Who applied it, as the client said; empty when it did not. */
  readonly by: string
  /** Why, as the client said. */
  readonly why: string
  /** ISO 8601. */
  readonly at: string
  /** What it changed, as far as there is room (`recordedChanges`); absent where nobody wrote it down. */
  readonly changes?: readonly Change[]
  /** How many changes there were. */
  readonly changed?: number
  /** The revision whose snapshot it names again. */
  readonly rollbackTo?: number
  readonly expiresAt?: string
  readonly signature?: PointerSignature
}

const MAX_CHANGES = 50
const MAX_DETAILS = 20

/** What a record keeps of a change: enough for people, however large the change was. */
export function recordedChanges(
  changes: readonly Change[],
): Pick<RevisionRecord, 'changes' | 'changed'> {
  return {
    changed: changes.length,
    changes: changes.slice(0, MAX_CHANGES).map(({ what, name, how, details }) => {
      const more = details.length - MAX_DETAILS
      const kept = details.slice(0, MAX_DETAILS)
      return { what, name, how, details: more > 0 ? [...kept, `and ${more} more`] : kept }
    }),
  }
}

const recordShape = v.looseObject({
  revision: v.number(),
  snapshot: v.string(),
  by: v.string(),
  why: v.string(),
  at: v.string(),
})

/** @returns the record; undefined for a text that is none */
export function parseRevisionRecord(text: string | null): RevisionRecord | undefined {
  try {
    const parsed = v.safeParse(recordShape, JSON.parse(text ?? ''))
    // Sound: only the policy object writes records; what is not looked at here is only shown.
    return parsed.success ? (parsed.output as unknown as RevisionRecord) : undefined
  } catch {
    return undefined
  }
}
