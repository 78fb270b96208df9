/**
 * `postern add FILE.wasm|URL`: brings a module into `plugins/`, so that the next deploy binds it. Refuses
 * what cannot run with every reason at once, and writes nothing then.
 */
import { parseArgs } from 'node:util'
import { printInspection } from './print-inspection.ts'
import { addModule, AddRefused, type AddedModule } from './add-module.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'

const HELP = `postern add FILE.wasm|URL [options]

Checks a Proxy-Wasm module, copies it to plugins/<name>/<version>.wasm, lists it in
plugin.json and regenerates plugins/registry.ts. An https:// or http:// URL is downloaded
and recorded with the module, so that a WasmPlugin may name the module by it.

  --name NAME        lower-case letters, digits and dashes (default: from the file's name)
  --version VERSION  (default: from the file's name, else 1.0.0 for a new plugin)
  --url URL          where a registry holds the same bytes, such as oci://ghcr.io/org/auth:1.2.0;
                     a WasmPlugin may name the module by it. May be repeated
  --sha256 HASH      refuse the module unless these are its bytes
  --force            replace another file of the same name and version
  --json             print the result as JSON
  --help

Exit codes: 0 added or already there, 1 refused, 2 called wrongly.
`

/**
 * @param args - after `add`
 * @returns 0 when the module is in `plugins/`, 1 when it was refused
 * @throws CommandError for wrong arguments
 */
export async function add(args: string[], io: CliIo): Promise<number> {
  const parsed = parse(args)
  if ('error' in parsed) throw new CommandError('cli.usage', parsed.error)
  const { values, file } = parsed
  if (values.help) {
    io.stdout(HELP)
    return 0
  }
  try {
    const options = {
      file,
      name: values.name,
      version: values.version,
      urls: values.url ?? [],
      sha256: values.sha256,
      force: values.force ?? false,
    }
    const added = await addModule(io.cwd, options, io.fetch)
    io.stdout(values.json ? `${JSON.stringify({ ok: true, ...added }, null, 2)}\n` : printed(added))
    return 0
  } catch (error) {
    if (!(error instanceof AddRefused)) throw error
    const { message, problems } = error
    if (values.json) io.stdout(`${JSON.stringify({ ok: false, message, problems }, null, 2)}\n`)
    else io.stderr([message, ...problems.map((reason) => `  - ${reason.message}`), ''].join('\n'))
    return 1
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        version: { type: 'string' },
        url: { type: 'string', multiple: true },
        sha256: { type: 'string' },
        force: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    const [file, ...more] = positionals
    if (values.help) return { values, file: '' }
    if (file === undefined) return { error: 'Which file? postern add FILE.wasm' }
    if (more.length > 0) return { error: `One file at a time: ${more.join(' ')} is too much` }
    return { values, file }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

function printed(added: AddedModule): string {
  const { name, version, sha256, path, urls, changed, report } = added
  const url = urls[0] ?? `oci://local/${name}:${version}`
  return `${changed ? 'Added' : 'Already there:'} ${name} ${version}  ${path}
  sha256 ${sha256}
${printInspection(report)}
Next:
  1. Deploy, so that the gateway has the module:  npx wrangler deploy
  2. Name it in a WasmPlugin:                     url: ${url}
  3. Apply the policy:                            postern apply -f policy/ --gateway https://…
`
}
