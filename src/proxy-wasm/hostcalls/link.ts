/**
 * The import object of one vm: every name of the ABI table whatever the module's version, both WASI
 * module names, stubs for what is unknown or not allowed. Anything a port throws is caught here.
 */
import { LogLevel, Status } from '../abi/enums.ts'
import type { LoadedModule } from '../vm/loaded-module.ts'
import type { Vm } from '../vm/vm.ts'
import { bufferFunctions } from './buffers.ts'
import { caught } from './caught.ts'
import { contextFunctions } from './contexts.ts'
import { counted } from './counted.ts'
import { envExtras } from './env-extras.ts'
import { foreignFunctions } from './foreign.ts'
import { grpcCallFunctions } from './grpc-calls.ts'
import { headerFunctions } from './headers.ts'
import { httpCallFunctions } from './http-calls.ts'
import { logAndTimeFunctions } from './log-and-time.ts'
import { metricFunctions } from './metrics.ts'
import { propertyFunctions } from './properties.ts'
import { sharedDataFunctions } from './shared-data.ts'
import { sharedQueueFunctions } from './shared-queues.ts'
import { streamFunctions } from './streams.ts'
import { wasiFunctions } from './wasi.ts'

/** One host function: i32 arguments arrive signed, i64 as BigInt; the result is a status or a WASI errno. */
export type HostFunction = (...args: number[]) => number | void
export type HostFunctions = Readonly<Record<string, HostFunction>>

const WASI_MODULES: ReadonlySet<string> = new Set(['wasi_snapshot_preview1', 'wasi_unstable'])
const WASI_NOT_CAPABLE = 76
const WASI_NOSYS = 52

/** What plugins call most catches by itself: one function less to go through. */
const CATCH_THEMSELVES: ReadonlySet<string> = new Set([
  'proxy_get_header_map_value',
  'proxy_get_property',
  'proxy_get_shared_data',
  'proxy_increment_metric',
])

/** Names that Envoy does not restrict either. */
const UNRESTRICTED: ReadonlySet<string> = new Set([
  'pthread_equal',
  'emscripten_notify_memory_growth',
  'abort',
])

/**
 * @param vm - whose host calls they are; its instance need not exist yet
 * @param loaded - the module to link
 * @returns what `new WebAssembly.Instance` takes; imports nobody knows answer Unimplemented and log once
 */
export function linkImports(vm: Vm, loaded: LoadedModule): WebAssembly.Imports {
  const env: HostFunctions = {
    ...logAndTimeFunctions(vm),
    ...contextFunctions(vm),
    ...headerFunctions(vm),
    ...bufferFunctions(vm),
    ...streamFunctions(vm),
    ...propertyFunctions(vm),
    ...httpCallFunctions(vm),
    ...grpcCallFunctions(vm),
    ...sharedDataFunctions(vm),
    ...sharedQueueFunctions(vm),
    ...metricFunctions(vm),
    ...foreignFunctions(vm),
  }
  const extras = envExtras(
    (level, message) => vm.logHost(level, message),
    () => vm.memory.buffer,
  ) as HostFunctions
  const wasi = wasiFunctions(vm.wasiHost) as HostFunctions

  const link = (module: string, name: string): HostFunction => {
    const isWasi = WASI_MODULES.has(module)
    if (module === 'env' && UNRESTRICTED.has(name)) return extras[name] ?? unknown(vm, module, name)
    const known = isWasi ? wasi[name] : module === 'env' ? env[name] : undefined
    if (known === undefined) return unknown(vm, module, name)
    if (!vm.allows(name)) return notAllowed(vm, name, isWasi)
    if (isWasi) return known
    const call = CATCH_THEMSELVES.has(name) ? known : guarded(vm, name, known)
    return vm.definedMetrics === undefined ? call : counted(vm, call)
  }

  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module, name, kind } of loaded.imports) {
    const names = (imports[module] ??= {})
    if (kind === 'function') names[name] = link(module, name) as WebAssembly.ImportValue
    else if (kind === 'memory') names[name] = new WebAssembly.Memory(loaded.importedMemory)
    else if (kind === 'table') {
      names[name] = new WebAssembly.Table({ element: 'anyfunc', ...loaded.importedTable })
    }
  }
  return imports
}

function unknown(vm: Vm, module: string, name: string): HostFunction {
  vm.unknownImports.add(`${module}.${name}`)
  let said = false
  const status = `${WASI_MODULES.has(module) ? WASI_NOSYS : Status.Unimplemented}`
  // which type it is declared to return cannot be known here; this converts to all of them, i64 as well
  const answer = { [Symbol.toPrimitive]: () => status } as unknown as number
  return () => {
    if (!said) vm.logHost(LogLevel.Warn, `${module}.${name} is unknown here: Unimplemented`)
    said = true
    return answer
  }
}

function notAllowed(vm: Vm, name: string, isWasi: boolean): HostFunction {
  return () => {
    vm.logHost(LogLevel.Error, `${name} is not among the plugin's allowedCapabilities`)
    return isWasi ? WASI_NOT_CAPABLE : Status.InternalFailure
  }
}

/** A host call never throws into the guest, except to end it; same arity, which calls faster. */
function guarded(vm: Vm, name: string, call: HostFunction): HostFunction {
  type N = number
  switch (call.length) {
    case 1:
      return (a: N) => {
        try {
          return call(a)
        } catch (error) {
          return caught(vm, name, error)
        }
      }
    case 3:
      return (a: N, b: N, c: N) => {
        try {
          return call(a, b, c)
        } catch (error) {
          return caught(vm, name, error)
        }
      }
    case 5:
      return (a: N, b: N, c: N, d: N, e: N) => {
        try {
          return call(a, b, c, d, e)
        } catch (error) {
          return caught(vm, name, error)
        }
      }
    default:
      return (...args: N[]) => {
        try {
          return call(...args)
        } catch (error) {
          return caught(vm, name, error)
        }
      }
  }
}
