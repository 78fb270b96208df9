/**
 * The promotions that the one writer remembers, so that files which nobody has changed since do not bring
 * the old version back unnoticed. One is forgotten when its plugin is the old version again, whoever wanted
 * that, and when its plugin is gone.
 */
import { pluginVersion } from '../plugin-version.ts'
import type { Problem } from '../problem.ts'
import type { Snapshot, SnapshotPlugin } from '../snapshot.ts'

/** A version of a plugin: what tells it apart, and what people call it. */
interface PluginVersion {
  /** `pluginVersion` of it. */
  readonly version: string
  readonly name: string
}

export interface Promotion {
  /** A key of `Snapshot.plugins`. */
  readonly plugin: string
  readonly rollout: string
  readonly run: number
  /** The revision by which it was promoted. */
  readonly revision: number
  readonly replaced: PluginVersion
  readonly promoted: PluginVersion
}

/** How many are kept, the newest. */
const KEPT_PROMOTIONS = 100

type Named = Pick<SnapshotPlugin, 'module' | 'moduleName' | 'moduleVersion' | 'configuration'>

/** @param plugin - of a snapshot */
export async function versionNamed(plugin: Named): Promise<PluginVersion> {
  const { module, moduleName, moduleVersion } = plugin
  const version = await pluginVersion(plugin)
  const named = [moduleName, moduleVersion].filter((part) => part !== undefined).join(' ')
  const configuration = `configuration ${version.slice(0, 8)}`
  return { version, name: `${named || module.slice(0, 12)} (${configuration})` }
}

/** Those that a change would undo: their plugin is another version now, and would be the one of before. */
export async function undoneBy(
  promotions: readonly Promotion[],
  before: Snapshot | undefined,
  after: Snapshot,
): Promise<readonly Promotion[]> {
  const undone = await Promise.all(
    promotions.map(
      async ({ plugin, replaced }) =>
        (await isVersion(after, plugin, replaced)) && !(await isVersion(before, plugin, replaced)),
    ),
  )
  return promotions.filter((_, index) => undone[index])
}

/**
 * Those that are remembered once a change is written.
 * @param made - what the change itself promotes
 */
export async function remembered(
  promotions: readonly Promotion[],
  made: Promotion | undefined,
  after: Snapshot,
): Promise<readonly Promotion[]> {
  const all = made === undefined ? promotions : [...promotions, made]
  const kept = await Promise.all(
    all.map(
      async ({ plugin, replaced }) =>
        after.plugins[plugin] !== undefined && !(await isVersion(after, plugin, replaced)),
    ),
  )
  return all.filter((_, index) => kept[index]).slice(-KEPT_PROMOTIONS)
}

/**
 * What is said of a change that undoes promotions.
 * @param isAskedFor - whether whoever makes the change has said that they want that
 */
export function undoProblems(
  undone: readonly Promotion[],
  isAskedFor: boolean,
): readonly Problem[] {
  return undone.map(({ plugin, rollout, run, revision, replaced, promoted }) => {
    const [namespace = '', ...name] = plugin.split('.')
    const what = `${plugin} would be ${replaced.name} again, which ${promoted.name} replaced in revision ${revision} when ${rollout} was promoted (run ${run})`
    return {
      code: 'rollout.undoes_promotion',
      severity: isAskedFor ? 'warning' : 'error',
      resource: `WasmPlugin ${namespace}/${name.join('.')}`,
      path: ['spec'],
      message: isAskedFor
        ? what
        : `${what}; take the promoted version into your files, or apply with --force`,
    }
  })
}

async function isVersion(
  snapshot: Snapshot | undefined,
  id: string,
  { version }: PluginVersion,
): Promise<boolean> {
  const plugin = snapshot?.plugins[id]
  return plugin !== undefined && (await pluginVersion(plugin)) === version
}
