/**
 * Pins each plugin to the sha256 of its module before it is sent: by what stands under `plugins/`, by
 * what the gateway has bound, and for `file://` by the file itself.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { DeclaredPlugin } from '../config/compile/declared-plugin.ts'
import { declaredPlugins, declaresPlugins } from '../config/compile/declared-plugin.ts'
import type { CatalogModule, ModuleCatalog } from '../config/compile/module-catalog.ts'
import { moduleName, resolveModule } from '../config/compile/module-catalog.ts'
import type { PlacedProblem, PlacedResource } from '../config/documents.ts'
import type { ErrorCode } from '../config/error-codes.ts'
import type { FieldPath } from '../config/problem.ts'
import type { Resource } from '../config/resources/kinds.ts'
import { resourceKey } from '../config/resources/resource-key.ts'
import { unreadableManifests } from './local-catalog.ts'

export interface ResolvedResources {
  /** As they are sent. */
  readonly resources: readonly Resource[]
  readonly problems: readonly PlacedProblem[]
}

/**
 * @param placed the sound resources of the files
 * @param local what stands under `plugins/`, as far as it can be read
 * @param bound what the gateway says it has bound
 * @param cwd where file names and `plugins/` start
 */
export async function resolveModules(
  placed: readonly PlacedResource[],
  local: ModuleCatalog,
  bound: ModuleCatalog,
  cwd: string,
): Promise<ResolvedResources> {
  const catalog = joined(local, bound)
  const resources: Resource[] = []
  const problems: PlacedProblem[] = []
  for (const one of placed) {
    let { resource } = one
    const plugins = declaresPlugins(resource) ? declaredPlugins(resource) : []
    for (const plugin of plugins) {
      const found = await findModule(plugin, resolve(cwd, dirname(one.file)), catalog)
      const about =
        'sha256' in found ? notBound(found, bound) : await unreadable(plugin.url, found, cwd)
      if (about !== undefined) {
        const path = [...plugin.source, about.field]
        const { code, message } = about
        const place = one.place({ code, path })
        const key = resourceKey(resource)
        problems.push({ code, severity: 'error', resource: key, path, message, ...place })
      }
      if ('sha256' in found) resource = pinned(resource, plugin.source, found.sha256)
    }
    resources.push(resource)
  }
  return { resources, problems }
}

interface Refused {
  readonly code: ErrorCode
  readonly field: 'url' | 'sha256'
  readonly message: string
}

async function findModule(
  { url, sha256 }: DeclaredPlugin,
  folder: string,
  catalog: ModuleCatalog,
): Promise<CatalogModule | Refused> {
  const hashed = url.startsWith('file://') ? await hashFile(url, folder) : undefined
  if (hashed !== undefined && (sha256 ?? '') !== '' && sha256 !== hashed) {
    const message = `the sha256 of ${url} is ${hashed}`
    return { code: 'config.module_mismatch', field: 'sha256', message }
  }
  const resolved = resolveModule(url, hashed ?? sha256, catalog)
  if ('module' in resolved) return resolved.module
  const { code, message } = resolved
  if (hashed === undefined) return { code, field: resolved.field, message }
  const path = url.slice('file://'.length)
  const how = `run \`postern add ${path}\`, then deploy`
  return { code, field: 'url', message: `this file is none of the known modules; ${how}` }
}

/** A module that is not known may stand in a manifest that cannot be read: then that is what is wrong. */
async function unreadable(url: string, found: Refused, cwd: string): Promise<Refused> {
  if (found.code !== 'config.module_unknown') return found
  const reasons = await unreadableManifests(join(cwd, 'plugins'))
  const own = reasons.get(moduleName(url) ?? '')
  if (own !== undefined) return { ...found, field: 'url', message: `${own}. Correct that file` }
  if (reasons.size === 0) return found
  const others = [...reasons.values()].join('; ')
  return { ...found, message: `${found.message} What could not be read: ${others}` }
}

/** @returns the file's sha256; undefined where there is no such file here (it may be one on a node) */
async function hashFile(url: string, folder: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(resolve(folder, url.slice('file://'.length)))
    return createHash('sha256').update(bytes).digest('hex')
  } catch {
    return undefined
  }
}

function notBound(module: CatalogModule, bound: ModuleCatalog): Refused | undefined {
  if (bound.some((candidate) => candidate.sha256 === module.sha256)) return undefined
  const message = `${module.name} ${module.version} stands under plugins/, but the gateway does not have it: run \`npm run deploy\`, or restart \`npm start\``
  return { code: 'apply.not_bound', field: 'url', message }
}

/** The gateway's word goes first: what it calls a module is what it will find. */
function joined(local: ModuleCatalog, bound: ModuleCatalog): ModuleCatalog {
  const modules = new Map<string, CatalogModule>()
  for (const module of [...bound, ...local]) {
    const known = modules.get(module.sha256)
    const urls = [...(known?.urls ?? []), ...module.urls]
    modules.set(module.sha256, { ...module, ...known, urls })
  }
  return [...modules.values()]
}

/** @param source where `url` and `sha256` stand */
function pinned(resource: Resource, source: FieldPath, sha256: string): Resource {
  return withMember(resource, [...source, 'sha256'], sha256) as Resource
}

function withMember(value: unknown, [part, ...rest]: FieldPath, leaf: string): unknown {
  if (part === undefined) return leaf
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      index === part ? withMember(item, rest, leaf) : item,
    )
  }
  const members = value as Readonly<Record<string, unknown>>
  return { ...members, [part]: withMember(members[part], rest, leaf) }
}
