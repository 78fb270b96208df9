/**
 * `postern inspect FILE.wasm`: all that a module says about itself, what this host makes of it, and
 * whether it would run elsewhere.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { HOST_FUNCTIONS } from '../proxy-wasm/abi/host-functions.ts'
import { inspect as inspectBytes, type InspectReport } from '../proxy-wasm/abi/inspect.ts'
import { type HostPortability, portability } from '../proxy-wasm/abi/portability.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { sha256 } from './plugin-modules.ts'
import { wrapped } from './print.ts'
import { printInspection } from './print-inspection.ts'

const HELP = `postern inspect FILE.wasm [options]

Shows what a Proxy-Wasm module is: ABI version, SDK, how it starts and allocates, its callbacks, the
host calls it imports and which of them do not work here, memory, size, custom sections; and whether
it would run on Envoy, nginx, APISIX and Google Service Extensions.

  --json    print the report as JSON
  --help

Exit codes: 0 this gateway can run it, 1 it cannot (the report says why), 2 called wrongly.
`

/**
 * @param args - after `inspect`
 * @returns 0 when the module can run here, 1 when it cannot, 2 for wrong arguments
 */
export async function inspect(args: string[], io: CliIo): Promise<number> {
  const { values, file } = parse(args)
  if (values.help) {
    io.stdout(HELP)
    return 0
  }
  const bytes = await readModuleFile(io, file)
  const report = inspectBytes(bytes)
  const hosts = portability(report)
  const hash = sha256(bytes)
  io.stdout(
    values.json
      ? `${JSON.stringify({ file, sha256: hash, ...report, portability: hosts }, null, 2)}\n`
      : `${file}\n  sha256 ${hash}\n${printInspection(report)}${details(report)}${printHosts(hosts)}`,
  )
  return report.ok ? 0 : 1
}

/**
 * @param file - relative to the working directory
 * @throws CommandError `cli.file_missing` when it cannot be read
 */
export async function readModuleFile(io: CliIo, file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(resolve(io.cwd, file)))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError('cli.file_missing', `${file} cannot be read: ${reason}`)
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    const [file = '', ...more] = positionals
    if (!values.help && file === '') throw new Error('Which file? postern inspect FILE.wasm')
    if (more.length > 0) throw new Error(`One file at a time: ${more.join(' ')} is too much`)
    return { values, file }
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}

/** What `postern add` does not show. */
function details(report: InspectReport): string {
  const { start, allocator, functionCount, customSections, hostFunctions, unknownImports } = report
  const notes = new Map(HOST_FUNCTIONS.map(({ name, note }) => [name, note]))
  const proxy = hostFunctions.filter(({ module }) => module === 'env')
  const wasi = hostFunctions.filter(({ module }) => module !== 'env')
  const lacking = proxy.filter(({ support }) => support === 'answers')
  const sections = customSections.map(({ name, size }) => `${name} (${size} B)`)
  const lines = [
    `start: ${start}, allocator: ${allocator ?? 'none'}, ${functionCount} functions`,
    `custom sections: ${sections.join(', ') || 'none'}`,
    `host calls: ${names(proxy) || 'none'}`,
    ...(wasi.length > 0 ? [`WASI: ${names(wasi)}`] : []),
    ...lacking.map(({ name }) => `lacking here: ${name}: ${notes.get(name) ?? 'not working'}`),
    ...unknownImports.map(
      ({ module, name, signature }) => `unknown import: ${module}.${name} ${signature}`,
    ),
  ]
  return lines.map((line) => wrapped(line, '  ', '    ')).join('')
}

/** Once each: a module may import one function several times. */
function names(functions: readonly { readonly name: string }[]): string {
  return [...new Set(functions.map(({ name }) => name.replace(/^proxy_/, '')))].join(', ')
}

const VERDICTS = { yes: 'runs', partly: 'runs in part', no: 'does not run' } as const

function printHosts(hosts: readonly HostPortability[]): string {
  const lines = hosts.map(({ host, verdict, stops, limits }) =>
    [
      `  ${host.padEnd(28)}${VERDICTS[verdict]}\n`,
      ...[...stops, ...limits].map(({ message }) => wrapped(message, '      ', '        ')),
    ].join(''),
  )
  return `\nElsewhere, if the plugin uses all that it imports (SDKs import more than that):\n${lines.join('')}`
}
