/**
 * Finds the snapshot a rollback goes back to, and whether it can still run here: modules and bindings
 * may have gone with a deploy since.
 */
import type { ModuleCatalog } from '../compile/module-catalog.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { Problem } from '../problem.ts'
import { readSnapshot } from '../read-snapshot.ts'
import type { Snapshot } from '../snapshot.ts'
import type { ConfigSource } from '../source.ts'
import { readHistory } from './history.ts'
import type { Current } from './publisher.ts'

export interface RollbackTarget {
  readonly snapshot: Snapshot
  readonly hash: string
  readonly warnings: readonly Problem[]
  /** Absent for the snapshot before, when no record names it. */
  readonly rollbackTo?: number | undefined
}

export interface RollbackPlace {
  readonly source: ConfigSource
  readonly catalog: ModuleCatalog
  readonly services?: readonly string[] | undefined
}

/**
 * @param to the revision; undefined: the snapshot that ran before
 * @returns the target, or everything that is in the way
 */
export async function findRollback(
  to: number | undefined,
  current: Current,
  { source, catalog, services }: RollbackPlace,
): Promise<RollbackTarget | { readonly problems: readonly Problem[] }> {
  const { revisions } = await readHistory(source, current)
  const previous = current.pointer?.previous ?? undefined
  const record = revisions.find(({ revision, snapshot }) =>
    to === undefined
      ? snapshot === previous && revision !== current.pointer?.revision
      : revision === to,
  )
  const hash = record?.snapshot ?? (to === undefined ? previous : undefined)
  if (hash === undefined) {
    const known = revisions.map(({ revision }) => revision).join(', ') || 'none'
    const message =
      to === undefined
        ? 'nothing ran before what runs now'
        : `there is no record of revision ${to}; known: ${known}`
    return { problems: [problem('rollback.unknown_revision', message)] }
  }
  const read = await readSnapshot(await source.get(`snapshot.${hash}`), hash)
  if (!('found' in read)) return { problems: [problem(read.code, read.message)] }
  const snapshot = read.found
  const problems = missing(snapshot, catalog, services)
  if (problems.length > 0) return { problems }
  const resources = await source.get(`resources.${hash}`)
  const lost = problem(
    'config.resources_unknown',
    'the resources behind this snapshot are gone: the next apply has to send all of them, with --prune',
    'warning',
  )
  const warnings = resources === null ? [lost] : []
  return { snapshot, hash, warnings, rollbackTo: record?.revision }
}

/** What the snapshot needs and the gateway no longer has. */
function missing(
  snapshot: Snapshot,
  catalog: ModuleCatalog,
  services: readonly string[] | undefined,
): readonly Problem[] {
  const bound = new Set(catalog.map(({ sha256 }) => sha256))
  const plugins = Object.values(snapshot.plugins).filter(({ module }) => !bound.has(module))
  const upstreams = Object.values(snapshot.upstreams).filter(
    ({ service }) => service !== undefined && services?.includes(service) === false,
  )
  return [
    ...plugins.map(({ id, module, moduleName, moduleVersion }) => {
      const name = [moduleName ?? 'a module', moduleVersion].filter(Boolean).join(' ')
      const message = `${id} ran ${name} (${module.slice(0, 12)}), which the gateway no longer has`
      return problem('apply.not_bound', message)
    }),
    ...upstreams.map(({ name, service = '' }) => {
      const message = `the upstream ${name} was the service binding ${service}, which the gateway no longer has`
      return problem('config.dangling_reference', message)
    }),
  ]
}

function problem(
  code: ErrorCode,
  message: string,
  severity: Problem['severity'] = 'error',
): Problem {
  return { code, severity, resource: '', path: [], message }
}
