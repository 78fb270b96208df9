/**
 * The value of a key `revision.<n>`: who made this revision, when, why, and what it names. Never
 * changed once the pointer has named it; a rollback is a new revision naming an old snapshot.
 */
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
}
