/**
 * A copy of what was activated last, kept near where it runs (on Workers the Cache API), for isolates
 * that start while the store cannot be had. It is believed no more than the store: the snapshot is
 * checked against its name, the pointer against the trusted keys.
 */
import type { ActivePointer } from './active-pointer.ts'
import { parseActivePointer } from './active-pointer.ts'
import { canonicalJson } from './canonical.ts'

/** Where the copy is kept, as a port. Both may reject; what they do then is nobody's fault. */
export interface CopyStore {
  /** @returns undefined when there is none */
  load(): Promise<string | undefined>
  save(text: string): Promise<void>
}

export interface SnapshotCopy {
  readonly pointer: ActivePointer
  /** The bytes that the pointer's hash is of. */
  readonly text: string
}

/**
 * Reads the copy.
 * @returns undefined when there is none, or what is there is none
 * @throws whatever the store throws
 */
export async function loadCopy(store: CopyStore): Promise<SnapshotCopy | undefined> {
  const kept = await store.load()
  const end = kept?.indexOf('\n') ?? -1
  if (kept === undefined || end < 0) return undefined
  const parsed = parseActivePointer(kept.slice(0, end))
  return 'pointer' in parsed ? { pointer: parsed.pointer, text: kept.slice(end + 1) } : undefined
}

/**
 * Keeps a copy of what was activated, unless the one there is of a later revision: an isolate that reads
 * an old pointer must not take the new snapshot away from the others.
 * @param read gives the snapshot's bytes, asked when they are not in the copy already
 */
export async function saveCopy(
  store: CopyStore,
  pointer: ActivePointer,
  read: () => Promise<string | null>,
): Promise<void> {
  const kept = await loadCopy(store)
  if (kept !== undefined && kept.pointer.revision >= pointer.revision) return
  const text = kept?.pointer.snapshot === pointer.snapshot ? kept.text : await read()
  if (text !== null) await store.save(`${canonicalJson(pointer)}\n${text}`)
}
