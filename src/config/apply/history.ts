/**
 * The revisions there have been: what `GET /-/history` answers, and where a rollback finds its way.
 */
import type { ConfigSource } from '../source.ts'
import type { Current } from './publisher.ts'
import { KEPT_REVISIONS } from './publisher.ts'
import { parseRevisionRecord } from './revision-record.ts'
import type { RevisionRecord } from './revision-record.ts'

export interface History {
  /** The active revision; 0 when there is none. */
  readonly revision: number
  /** Newest first; those whose records are kept and can be read. */
  readonly revisions: readonly RevisionRecord[]
}

/** Reads the records of the revisions up to the active one. */
export async function readHistory(source: ConfigSource, current: Current): Promise<History> {
  const revision = current.pointer?.revision ?? 0
  // The last numbers, and those this writer knows of: a pointer that was moved by hand leaves gaps.
  const recent = Array.from({ length: KEPT_REVISIONS }, (_, index) => revision - index)
  const numbers = [...new Set([...recent, ...current.kept])]
    .filter((one) => one >= 1 && one <= revision)
    .sort((a, b) => b - a)
  const texts = await Promise.all(numbers.map((one) => source.get(`revision.${one}`)))
  const revisions = texts.flatMap((text, index) => {
    const record = parseRevisionRecord(text)
    return record !== undefined && record.revision === numbers[index] ? [record] : []
  })
  return { revision, revisions }
}
