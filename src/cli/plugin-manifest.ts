/**
 * `plugins/<name>/plugin.json`: which versions of a module there are. The command line reads and
 * writes these fields; whatever else stands in the file is kept as it is.
 */
import * as v from 'valibot'

/** DNS labels: names end up in urls, metric names and file paths. */
export const NAME_PATTERN: RegExp = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
export const VERSION_PATTERN: RegExp = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/

export interface ManifestVersion {
  readonly version: string
  /** The file's name, beside plugin.json. */
  readonly file: string
  /** Of the original bytes. */
  readonly sha256: string
  /** What packing made of them, when `file` holds that. */
  readonly packed?: { readonly sha256: string; readonly packer: string } | undefined
  readonly urls?: readonly string[] | undefined
}

export interface PluginManifest {
  readonly name: string
  readonly versions: readonly ManifestVersion[]
}

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits'))
const version = v.looseObject({
  version: v.pipe(v.string(), v.regex(VERSION_PATTERN, 'is no version')),
  file: v.pipe(v.string(), v.regex(/^[^/\\]+\.wasm$/, 'must name a .wasm file beside plugin.json')),
  sha256: hash,
  packed: v.optional(v.looseObject({ sha256: hash, packer: v.string() })),
  urls: v.optional(v.array(v.string())),
})
const manifest = v.looseObject({
  name: v.pipe(v.string(), v.regex(NAME_PATTERN, 'must be lower-case letters, digits and dashes')),
  versions: v.array(version),
})

/**
 * @param text - of plugin.json
 * @param path - for messages
 * @returns the manifest, with the fields this program does not know
 * @throws Error that names the field and what is wrong with it
 */
export function parseManifest(text: string, path: string): PluginManifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is no JSON: ${String(error)}`, { cause: error })
  }
  const parsed = v.safeParse(manifest, json)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw new Error(`${path}: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
}

/** @returns the text of plugin.json, with short lists on one line as the formatter wants them */
export function printManifest(value: PluginManifest): string {
  const text = JSON.stringify(value, null, 2).replaceAll(
    /^(.*)\[\n([^[\]{}]*)\n\s*\](,?)$/gm,
    (whole, before: string, items: string, after: string) => {
      const line = `${before}[${items.trim().replaceAll(/\n\s*/g, ' ')}]${after}`
      return line.length <= 100 ? line : whole
    },
  )
  return `${text}\n`
}
