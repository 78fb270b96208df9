/**
 * The machine: runs Proxy-Wasm modules on Web APIs alone, in Workers, Node or a browser.
 *
 * ```ts
 * import { inMemoryPorts, loadModule, Plugin, pluginSpec, runFetchStream, standaloneIo, VmPool, vmKey } from 'postern'
 *
 * const pool = new VmPool(inMemoryPorts())
 * const module = loadModule(await WebAssembly.compile(bytes), sha256)
 * const spec = pluginSpec({ name: 'header-policy', module, configuration: '{"request":{"set":{"x-a":"1"}}}' })
 * const plugin = new Plugin(spec, await vmKey(spec), pool)
 * const response = await runFetchStream({ plugins: [plugin], pool, request, io: standaloneIo(), info, forward })
 * ```
 * @module
 */
export * from './abi/enums.ts'
export { describeError, GuestTrap, LoadError } from './errors.ts'
export { inMemoryPorts } from './in-memory-ports.ts'
export { ForeignFunctionRegistry } from './in-memory/foreign-functions.ts'
export { DEFAULT_LIMITS, type PluginLimits } from './limits.ts'
export type * from './ports.ts'
export type { RegisteredModule } from './registered-module.ts'
export type { StreamInfo } from './stream/attributes.ts'
export { Chain } from './stream/chain.ts'
export type { ChainOptions } from './stream/chain-options.ts'
export type { Decided, Decision, DecisionClass } from './stream/decision.ts'
export type { Direction, EffectSink } from './stream/effects.ts'
export {
  type FetchStreamOptions,
  type OutboundRequest,
  runFetchStream,
  type StreamObserver,
} from './stream/fetch.ts'
export { HeaderMap } from './stream/header-map.ts'
export { type IoContext, runIn, runningIo, standaloneIo } from './stream/io-context.ts'
export { emptyReply, type LocalReply } from './stream/local-reply.ts'
export type { Shadow } from './stream/shadow-tap.ts'
export {
  type GuestMetric,
  type Recorded,
  Tally,
  type TallyObserver,
  type Watch,
} from './stream/tally.ts'
export type { NotCompared, ShadowedStream, ShadowObserver, Verdict } from './stream/verdict.ts'
export {
  type LoadedModule,
  loadModule,
  type LoadModuleOptions,
  missingModule,
} from './vm/loaded-module.ts'
export { Plugin, type PluginFallback, type PluginState } from './vm/plugin.ts'
export {
  type FailStrategy,
  type PluginOptions,
  type PluginSpec,
  pluginSpec,
} from './vm/plugin-spec.ts'
export { vmKey, type VmSide } from './vm/vm-key.ts'
export { VmPool } from './vm/vm-pool.ts'
