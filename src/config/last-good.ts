/**
 * The versions of a plugin that may run in place of one that does not start. A snapshot carries them,
 * so that an isolate which has never run anything knows them too. They come from the snapshots before
 * it: whether a version that was published ever started is seen where it runs and not where it is
 * compiled, so several are kept, and several bad revisions in a row do not push the good one out.
 */
import { canonicalJson } from './canonical.ts'
import type { ModuleCatalog } from './compile/module-catalog.ts'
import type { SnapshotPlugin } from './snapshot.ts'

/** What a vm of a plugin is started with: what may keep it from starting. */
const VERSION = [
  'module',
  'configuration',
  'rootId',
  'env',
  'vmId',
  'shareVm',
  'vmConfiguration',
  'allowedCapabilities',
  'limits',
  'allowOnHeadersStopIteration',
] as const

type Version = Pick<SnapshotPlugin, (typeof VERSION)[number]>

/** A version, as far as it differs from the plugin beside which it stands. */
export type LastGood = Pick<Version, 'module' | 'configuration'> &
  Partial<Omit<Version, 'module' | 'configuration' | 'allowedCapabilities'>> & {
    /** null: all, where the plugin beside it may use some. */
    readonly allowedCapabilities?: readonly string[] | null
  }

/** How many versions a snapshot carries for each plugin. */
const KEPT = 3

/**
 * The versions that may run in place of a plugin, newest first.
 * @param plugin as it was compiled
 * @param before the same plugin in the snapshot before; undefined when it is new
 * @param catalog the modules there are: a version without its module is of no use
 * @returns undefined when there is none
 */
export function lastGoodOf(
  plugin: Omit<SnapshotPlugin, 'lastGood'>,
  before: SnapshotPlugin | undefined,
  catalog: ModuleCatalog,
): readonly LastGood[] | undefined {
  if (before === undefined) return undefined
  const older = before.lastGood?.map((one) => asLastGood(before, one)) ?? []
  const seen = new Set([versionText(plugin)])
  const kept = [before, ...older]
    .filter((version) => {
      const text = versionText(version)
      const usable = !seen.has(text) && catalog.some(({ sha256 }) => sha256 === version.module)
      seen.add(text)
      return usable
    })
    .slice(0, KEPT)
    .map((version) => difference(plugin, version))
  return kept.length === 0 ? undefined : kept
}

/**
 * A plugin as one of its `lastGood` says: that version, in the plugin's place in the chain.
 * @param plugin beside which `version` stands in the snapshot
 */
export function asLastGood(plugin: SnapshotPlugin, version: LastGood): SnapshotPlugin {
  const { lastGood: _, allowedCapabilities: own, ...rest } = plugin
  const { allowedCapabilities: theirs = own, ...fields } = version
  const allowed = theirs ?? undefined
  return { ...rest, ...fields, ...(allowed && { allowedCapabilities: allowed }) }
}

/** Whether vms of the two are started with the same. */
export function isSameVersion(one: SnapshotPlugin, other: SnapshotPlugin): boolean {
  return versionText(one) === versionText(other)
}

function difference(plugin: Version, version: Version): LastGood {
  const fields = VERSION.filter(
    (field) =>
      field === 'module' ||
      field === 'configuration' ||
      canonicalJson([plugin[field]]) !== canonicalJson([version[field]]),
  )
  return Object.fromEntries(fields.map((field) => [field, version[field] ?? null])) as LastGood
}

function versionText(version: Version): string {
  return canonicalJson(VERSION.map((field) => version[field] ?? null))
}
