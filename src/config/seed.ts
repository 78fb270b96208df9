/**
 * The first content of an empty store: one snapshot, its resources, revision 1 and the pointer. Used
 * where a local gateway is started with a set of example files.
 */
import type { ActivePointer } from './active-pointer.ts'
import { canonicalJson } from './canonical.ts'
import { compile, nameSnapshot } from './compile.ts'
import { mergeResources } from './apply/merge-resources.ts'
import type { ModuleCatalog } from './compile/module-catalog.ts'
import type { Problem } from './problem.ts'
import type { RevisionRecord } from './apply/revision-record.ts'

export interface SeedEntry {
  readonly key: string
  readonly value: string
}

export interface Seed {
  /** In the order in which they are to be written; empty when a problem is an error. */
  readonly entries: readonly SeedEntry[]
  readonly problems: readonly Problem[]
}

/**
 * @param documents resources, unchecked
 * @param catalog the modules that are bound
 * @param at ISO 8601: when, for the record
 */
export async function seedEntries(
  documents: readonly unknown[],
  catalog: ModuleCatalog,
  at: string,
): Promise<Seed> {
  const merged = mergeResources(documents, [])
  if (merged.resources === undefined) return { entries: [], problems: merged.problems }
  const compiled = compile({ resources: merged.resources, catalog })
  const problems = [...merged.problems, ...compiled.problems]
  if (compiled.snapshot === undefined) return { entries: [], problems }
  const { hash, text } = await nameSnapshot(compiled.snapshot)
  const about = { revision: 1, snapshot: hash, previous: null }
  const record: RevisionRecord = { ...about, by: 'npm start', why: 'first start', at }
  const pointer: ActivePointer = { ...about, issuedAt: at }
  const entries = [
    { key: `snapshot.${hash}`, value: text },
    { key: `resources.${hash}`, value: canonicalJson(merged.resources) },
    { key: 'revision.1', value: canonicalJson(record) },
    { key: 'active', value: canonicalJson(pointer) },
  ]
  return { entries, problems }
}
