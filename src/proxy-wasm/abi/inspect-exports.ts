/**
 * The half of an inspection that looks at what a module offers to the host.
 */
import type { StartConvention } from '../vm/loaded-module.ts'
import { CALLBACKS, callbackSignature, type CallbackRow } from './callbacks.ts'
import type { AbiVersion } from './enums.ts'
import type { Finding, InspectReport } from './inspect.ts'
import { printSignature, sameSignature, type Signature } from './signature.ts'
import type { WasmBinary } from './wasm-binary.ts'

interface CheckedExports extends Pick<InspectReport, 'allocator' | 'start' | 'callbacks'> {
  readonly problems: readonly Finding[]
  readonly warnings: readonly Finding[]
}

/** @param abi - the module's version, or null when it has none: then 0.2.1's signatures count */
export function checkExports(binary: WasmBinary, abi: AbiVersion | null): CheckedExports {
  const functions = new Map<string, Signature>()
  for (const { name, signature } of binary.exports) if (signature) functions.set(name, signature)

  const problems: Finding[] = []
  const warnings: Finding[] = []
  const callbacks: CheckedExports['callbacks'][number][] = []
  const allocator = findAllocator(functions)
  if (allocator === null) {
    problems.push({
      code: 'allocator-missing',
      message:
        'The module exports neither malloc nor proxy_on_memory_allocate, so the host cannot hand it data. Build it with a Proxy-Wasm SDK.',
    })
  }
  const start = findStart(functions)
  const unused = unusedNames(allocator, start)

  for (const row of CALLBACKS) {
    const signature = functions.get(row.name)
    if (signature === undefined || unused.has(row.name)) continue
    if (isEvent(row)) callbacks.push({ name: row.name, support: row.support })
    const expected = callbackSignature(row, abi ?? '0.2.1')
    if (sameSignature(signature, expected)) continue
    const found = {
      code: 'callback-signature',
      message: `${row.name} is ${printSignature(signature)}, but ABI ${abi ?? '0.2.1'} calls it as ${printSignature(expected)}.`,
    }
    // what is never called can do no harm
    if (row.support === 'never') warnings.push(found)
    else problems.push(found)
  }
  if (!hasMemory(binary)) {
    problems.push({
      code: 'memory-missing',
      message: 'The module neither exports a memory named "memory" nor imports one.',
    })
  }
  if (!callbacks.some(({ name }) => name === 'proxy_on_context_create')) {
    warnings.push({
      code: 'no-context-create',
      message:
        'proxy_on_context_create is not exported: an SDK would export it. Was main() or the linker left out?',
    })
  }
  return { allocator, start, callbacks, problems, warnings }
}

/** Lifecycle and allocation are exports of their own, not events. */
function isEvent(row: CallbackRow): boolean {
  return row.group !== 'start' && row.group !== 'memory'
}

function findAllocator(functions: ReadonlyMap<string, Signature>): InspectReport['allocator'] {
  if (functions.has('malloc')) return 'malloc'
  return functions.has('proxy_on_memory_allocate') ? 'proxy_on_memory_allocate' : null
}

function findStart(functions: ReadonlyMap<string, Signature>): StartConvention {
  if (functions.has('_initialize'))
    return functions.has('main') ? '_initialize+main' : '_initialize'
  return functions.has('_start') ? '_start' : 'none'
}

/** Exports that the host does not call because another one stands in front of them. */
function unusedNames(
  allocator: InspectReport['allocator'],
  start: StartConvention,
): ReadonlySet<string> {
  const unused = new Set<string>()
  if (allocator === 'malloc') unused.add('proxy_on_memory_allocate')
  if (start.startsWith('_initialize')) unused.add('_start')
  else unused.add('main')
  return unused
}

function hasMemory(binary: WasmBinary): boolean {
  return (
    binary.exports.some(({ kind, name }) => kind === 'memory' && name === 'memory') ||
    binary.imports.some(({ kind }) => kind === 'memory')
  )
}
