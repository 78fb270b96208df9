/**
 * Checks files as a whole without a gateway: fields, references, names, modules. One wrong resource does
 * not keep the others from being checked.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '../config/compile.ts'
import { placeProblems } from '../config/documents.ts'
import type { PlacedProblem } from '../config/documents.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { resourceKey } from '../config/resources/resource-key.ts'
import type { CliIo } from './cli-io.ts'
import { localCatalog } from './local-catalog.ts'
import { readPolicyFiles } from './policy-files.ts'
import { resolveModules } from './resolve-modules.ts'
import { hasName, salvage } from './salvage.ts'
import { uncheckedModules } from './unchecked-modules.ts'

export interface CheckedPolicy {
  /** What the files come to; undefined where something in them, or missing from them, is wrong. */
  readonly snapshot: Snapshot | undefined
  /** By file, line and column. */
  readonly problems: readonly PlacedProblem[]
  readonly files: number
  /** The sound ones, and those that are not. */
  readonly resources: number
  /** False where there is no `plugins/` that says which modules there are. */
  readonly modulesChecked: boolean
  /** False where what they lead to may stand in what could not be read. */
  readonly referencesChecked: boolean
}

/**
 * @param paths files and folders as the operator wrote them
 * @param partial what the files refer to may be at the gateway: a reference that leads nowhere is a
 *   warning
 * @param rootNamespace whose plugins are for all namespaces; Istio's when undefined
 */
export async function checkPolicy(
  paths: readonly string[],
  partial: boolean,
  rootNamespace: string | undefined,
  io: CliIo,
): Promise<CheckedPolicy> {
  const read = await readPolicyFiles(paths, io)
  const folder = join(io.cwd, 'plugins')
  const modulesChecked = existsSync(folder)
  const sound = read.resources.map(({ resource }) => resource)
  const catalog = modulesChecked ? await localCatalog(folder) : uncheckedModules(sound)
  const pinned = modulesChecked
    ? await resolveModules(read.resources, catalog, catalog, io.cwd)
    : { resources: sound, problems: [] }

  const salvaged = read.unsound.map((document) => ({ document, resource: salvage(document) }))
  const stand = salvaged.flatMap(({ resource }) => resource ?? [])
  const resources = [...pinned.resources, ...stand]
  const modules = [...catalog, ...uncheckedModules(stand)]
  const { snapshot, problems: compiled } = compile({
    resources,
    catalog: modules,
    rootNamespace,
  })
  const own = new Set(sound.map((resource) => resourceKey(resource)))
  const named = new Set(pinned.problems.map(({ resource }) => resource))
  const referencesChecked =
    !read.problems.some(({ code }) => UNREAD.has(code)) &&
    !salvaged.some(({ document, resource }) => resource === undefined && hasName(document))
  const found = compiled
    .filter(({ resource }) => own.has(resource))
    .filter(({ code, resource }) => !isModule(code) || (modulesChecked && !named.has(resource)))
    .filter(({ code }) => referencesChecked || code !== 'config.dangling_reference')
    .map((problem) =>
      partial && problem.code === 'config.dangling_reference'
        ? Object.assign({}, problem, { severity: 'warning' as const })
        : problem,
    )
  const problems = [...read.problems, ...pinned.problems, ...placeProblems(found, read.resources)]
  return {
    snapshot: problems.some(({ severity }) => severity === 'error') ? undefined : snapshot,
    problems: problems.sort(byPlace),
    files: read.files,
    resources: read.resources.length + read.unsound.length,
    modulesChecked,
    referencesChecked,
  }
}

/** What there was is not known. */
const UNREAD: ReadonlySet<string> = new Set(['config.syntax', 'config.file_missing'])

function isModule(code: string): boolean {
  return code.startsWith('config.module_')
}

function byPlace(a: PlacedProblem, b: PlacedProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
