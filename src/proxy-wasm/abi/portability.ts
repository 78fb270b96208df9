/**
 * Where else a module would run, from its inspect report: other hosts' rules as data, each with the
 * page it is from. `no` says that the host refuses the module or cannot start it; `partly`, that it
 * loads and something it imports or exports does not work there.
 */
import { HOST_FUNCTIONS } from './host-functions.ts'
import type { Finding, InspectReport } from './inspect.ts'
import { HOSTS, type HostRules } from './portability-hosts.ts'
import { printSignature, signatureOf } from './signature.ts'
import { WASI_FUNCTIONS, WASI_MODULES } from './wasi-functions.ts'

export interface HostPortability {
  readonly host: string
  readonly verdict: 'yes' | 'partly' | 'no'
  /** Why it would not run there. */
  readonly stops: readonly Finding[]
  /** What does not work there if the module uses it. SDKs import more than a plugin calls. */
  readonly limits: readonly Finding[]
  /** The page the rules are from. */
  readonly rules: string
}

/** What every host refuses, by the report's codes: each is a rule of WebAssembly or of the ABI. */
const REFUSED_EVERYWHERE: ReadonlySet<string> = new Set([
  'abi-missing',
  'abi-unsupported',
  'allocator-missing',
  'callback-signature',
  'memory-missing',
  'memory64',
  // not to be read at all
  'not-wasm',
  'component',
  'malformed',
  // imports that are neither function, memory nor table
  'import-global',
  'import-tag',
])

const PAGE = 64 * 1024
const ENV = new Map(HOST_FUNCTIONS.map((row) => [row.name, row]))
const WASI = new Map(WASI_FUNCTIONS.map((row) => [row.name, row]))

/** @returns one verdict for each host, in a fixed order */
export function portability(report: InspectReport): HostPortability[] {
  return HOSTS.map((host) => {
    const stops = [...refusedEverywhere(report), ...imports(report, host), ...shape(report, host)]
    const limits = [...missingCalls(report, host), ...missingCallbacks(report, host)]
    const verdict = stops.length > 0 ? 'no' : limits.length > 0 ? 'partly' : 'yes'
    return { host: host.name, verdict, stops, limits, rules: host.rules }
  })
}

function refusedEverywhere({ problems }: InspectReport): readonly Finding[] {
  return problems.filter(({ code }) => REFUSED_EVERYWHERE.has(code))
}

function imports(report: InspectReport, host: HostRules): Finding[] {
  const found: Finding[] = []
  for (const { module, name } of report.unknownImports) {
    found.push(finding('import-unknown', `${module}.${name} does not exist there.`))
  }
  for (const { module, name, signature } of report.hostFunctions) {
    const row = module === 'env' ? ENV.get(name) : undefined
    if (row === undefined) {
      if (host.exactImports) found.push(...wasiMismatch(module, name, signature))
      continue
    }
    // extensions are one host's own; a toolchain's function is there only where a list has it
    if (row.versions.length === 0 && !host.extensions.has(name)) {
      found.push(finding('import-unknown', `env.${name} does not exist there.`))
      continue
    }
    if (!host.exactImports) continue
    if (row.versions.length > 0 && report.abi !== null && !row.versions.includes(report.abi)) {
      const message = `${name} belongs to ABI ${row.versions.join(' and ')}, and only the functions of ${report.abi} are linked.`
      found.push(finding('import-version', message))
      continue
    }
    const expected = printSignature(signatureOf(row.params, row.result))
    if (signature !== expected) found.push(mismatch(module, name, signature, expected))
  }
  return found
}

function wasiMismatch(module: string, name: string, signature: string): Finding[] {
  const row = WASI_MODULES.includes(module) ? WASI.get(name) : undefined
  if (row === undefined) return []
  const expected = printSignature(signatureOf(row.params, row.result))
  return signature === expected ? [] : [mismatch(module, name, signature, expected)]
}

function mismatch(module: string, name: string, signature: string, expected: string): Finding {
  return finding(
    'import-signature',
    `${module}.${name} is declared ${signature}, but it is ${expected}.`,
  )
}

function shape(report: InspectReport, host: HostRules): Finding[] {
  const found: Finding[] = []
  const { abi, memory, size } = report
  if (abi !== null && !host.versions.includes(abi)) {
    found.push(finding('abi-version', `ABI ${abi} is not run there.`))
  }
  if (host.ownMemoryOnly && memory?.imported) {
    found.push(finding('memory-imported', 'The memory must be exported, and it is imported.'))
  }
  if (host.memoryBytes !== undefined && memory && memory.initial * PAGE > host.memoryBytes) {
    const message = `The memory starts with ${mebibytes(memory.initial * PAGE)}; ${mebibytes(host.memoryBytes)} is the most.`
    found.push(finding('memory-size', message))
  }
  if (host.moduleBytes !== undefined && size > host.moduleBytes) {
    const message = `The file has ${mebibytes(size)}; with the configuration, ${mebibytes(host.moduleBytes)} is the most.`
    found.push(finding('module-size', message))
  }
  return found
}

function missingCalls(report: InspectReport, host: HostRules): Finding[] {
  const names = report.hostFunctions
    .filter(({ module, name }) => module === 'env' && host.missingCalls.has(name))
    .map(({ name }) => name)
  if (names.length === 0) return []
  return [finding('call-missing', `${host.missingCallAnswers}: ${names.join(', ')}.`)]
}

function missingCallbacks(report: InspectReport, host: HostRules): Finding[] {
  const names = report.callbacks
    .filter(({ name }) => host.missingCallbacks.has(name))
    .map(({ name }) => name)
  if (names.length === 0) return []
  return [finding('callback-missing', `Never called there: ${names.join(', ')}.`)]
}

function finding(code: string, message: string): Finding {
  return { code, message }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
