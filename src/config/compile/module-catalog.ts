/**
 * The modules a plugin can be resolved to, and how its `url` and `sha256` find one. On a gateway the
 * catalog is what is bound to the Worker; at the command line, also what stands under `plugins/`.
 */
import type { ErrorCode } from '../error-codes.ts'
import { nearest } from '../nearest.ts'

export interface CatalogModule {
  readonly name: string
  readonly version: string
  /** sha256 of the module's original bytes. */
  readonly sha256: string
  /** Where it came from: every url under which operators may name it. */
  readonly urls: readonly string[]
}

export type ModuleCatalog = readonly CatalogModule[]

export type ResolvedModule =
  | { readonly module: CatalogModule }
  | { readonly code: ErrorCode; readonly field: 'url' | 'sha256'; readonly message: string }

/**
 * Finds the module a plugin names: by `sha256` when it is given, else by a url that was registered
 * with the module, else, for `oci://…/<name>:<version>`, by name and version. Of an image `sha256` may
 * be the digest, as in Istio: then it stands for the url with that digest.
 * @param url the plugin's `url`; without a scheme it is `oci://`, as in Istio
 * @param sha256 the plugin's `sha256`; empty or absent when it has none
 */
export function resolveModule(
  url: string,
  sha256: string | undefined,
  catalog: ModuleCatalog,
): ResolvedModule {
  const named = byUrl(url, catalog)
  if (sha256 === undefined || sha256 === '') {
    if (named !== undefined) return { module: named }
    return { code: 'config.module_unknown', field: 'url', message: unknownUrl(url, catalog) }
  }
  const pinned =
    catalog.find((module) => module.sha256 === sha256) ?? byDigest(url, sha256, catalog)
  if (pinned !== undefined && (named === undefined || named.sha256 === pinned.sha256)) {
    return { module: pinned }
  }
  if (named !== undefined) {
    const message = `the url names ${named.name} ${named.version}, whose sha256 is ${named.sha256}`
    return { code: 'config.module_mismatch', field: 'sha256', message }
  }
  const message = `no module with this sha256 is known; ${howToAdd(url)}. Known: ${listed(catalog)}`
  return { code: 'config.module_unknown', field: 'sha256', message }
}

function byUrl(url: string, catalog: ModuleCatalog): CatalogModule | undefined {
  const wanted = withScheme(url)
  const registered = catalog.find((module) =>
    module.urls.some((candidate) => withScheme(candidate) === wanted),
  )
  if (registered !== undefined) return registered
  const image = parseImage(wanted)
  // A digest is that of an image, not of a module: only a registered url can stand for it.
  if (image === undefined || image.digest !== undefined) return undefined
  return catalog.find((module) => module.name === image.name && module.version === image.tag)
}

/** The module of an image whose digest is registered, whatever tag the url has. */
function byDigest(url: string, sha256: string, catalog: ModuleCatalog): CatalogModule | undefined {
  const repository = /^(oci:\/\/(?:[^/]+\/)+[^/:@]+)/.exec(withScheme(url))?.[1]
  return catalog.find(({ urls }) =>
    urls.some((candidate) => {
      const [before = '', digest] = withScheme(candidate).split('@sha256:')
      return digest === sha256 && before.replace(/:[^/:]+$/, '') === repository
    }),
  )
}

function withScheme(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `oci://${url}`
}

/** The name of the module that an `oci://` url means; undefined for other urls. */
export function moduleName(url: string): string | undefined {
  return parseImage(withScheme(url))?.name
}

interface Image {
  readonly name: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

function parseImage(url: string): Image | undefined {
  const parts = /^oci:\/\/(?:[^/]+\/)+([^/:@]+)(?::([^/:@]+))?(?:@(.+))?$/.exec(url)
  const [, name, tag, digest] = parts ?? []
  return name === undefined ? undefined : { name, tag, digest }
}

function unknownUrl(url: string, catalog: ModuleCatalog): string {
  const wanted = withScheme(url)
  const image = parseImage(wanted)
  const how = howToAdd(url)
  if (image === undefined) {
    return `no module is registered under this url; ${how}. Known: ${listed(catalog)}`
  }
  const versions = catalog.filter((module) => module.name === image.name)
  if (versions.length > 0) {
    const known = versions.map((module) => module.version).join(', ')
    if (image.digest !== undefined) {
      return `no module is registered under this digest; take it off, or pin sha256. Versions of ${image.name}: ${known}`
    }
    if (image.tag === undefined) return `name a version of ${image.name}: ${known}`
    return `there is no ${image.name} ${image.tag}; versions: ${known}. To bring it in ${how}`
  }
  const near = nearest(image.name, new Set(catalog.map((module) => module.name)))
  const hint = near === undefined ? `known: ${listed(catalog)}.` : `did you mean ${near}?`
  return `there is no module ${image.name}; ${hint} To bring it in ${how}`
}

/** The command that brings the module of a url in, and records the url with it. */
function howToAdd(url: string): string {
  const wanted = withScheme(url)
  const [, path] = /^file:\/\/(.*)/.exec(wanted) ?? []
  const from = /^https?:/.test(wanted) ? wanted : `${path ?? 'FILE.wasm'} --url ${wanted}`
  return `run \`postern add ${from}\`, then deploy`
}

function listed(catalog: ModuleCatalog): string {
  if (catalog.length === 0) return 'none'
  return catalog.map((module) => `${module.name} ${module.version}`).join(', ')
}
