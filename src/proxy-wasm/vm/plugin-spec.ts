/** What an embedder says about one plugin: a configured use of a module. Immutable; made once per snapshot. */
import { DEFAULT_LIMITS, type PluginLimits } from '../limits.ts'
import { textToBytes } from '../memory/byte-string.ts'
import type { LoadedModule } from './loaded-module.ts'

/** What the client sees when the plugin cannot run; the names are Istio's. */
export type FailStrategy = 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD'

/** A plugin that runs on every stream, and whose effects reach nobody. */
export interface LogOnly {
  /**
   * What becomes of its own calls: they are made, or none of them leaves; `replay`, of a shadow: none leaves,
   * and they are answered with what the same calls of the stream that it follows came to.
   */
  readonly callouts: 'run' | 'block' | 'replay'
  /** It is another version of a plugin, and compared with that: what it decides is told by who compares. */
  readonly compared?: true
}

/** How much of a plugin's traffic may be let by when it fails and its strategy is FAIL_OPEN. */
export interface FailOpenBudget {
  /** At most so many per cent of the requests of a minute; 0 to 100, fractions allowed. */
  readonly percent: number
  /** So many a minute are let by whatever the percentage. */
  readonly minimum: number
}

/** What of a plugin's decisions is written. */
export interface DecisionLogSpec {
  /** The share of requests whose decisions are written, in per cent; 0 to 100, fractions allowed. */
  readonly sampling: number
  /** Lower-case names of headers and query parameters whose values are never written. */
  readonly mask: readonly string[]
}

export interface PluginSpec {
  /** Unique among the plugins of one gateway; also `plugin_name`. */
  readonly name: string
  /** Which of the module's root contexts; most modules have one and ignore it. */
  readonly rootId: string
  /** Scope of shared data, queues and metrics. */
  readonly vmId: string
  readonly module: LoadedModule
  /** Bytes that `on_configure` reads. */
  readonly configuration: Uint8Array<ArrayBuffer>
  /** Bytes that `on_vm_start` reads. */
  readonly vmConfiguration: Uint8Array<ArrayBuffer>
  readonly environment: readonly (readonly [string, string])[]
  readonly failStrategy: FailStrategy
  /** Share one vm with other plugins of the same vm key instead of having one's own. */
  readonly shareVm: boolean
  /** Allow-list of host functions and callbacks by name; undefined allows all. */
  readonly allowedCapabilities: ReadonlySet<string> | undefined
  /** Let a headers Pause hold the headers only, so that body callbacks go on. */
  readonly allowOnHeadersStopIteration: boolean
  readonly limits: PluginLimits
  /** Present: nothing it does is done, it is recorded. */
  readonly logOnly: LogOnly | undefined
  /** Beyond it FAIL_OPEN is FAIL_CLOSE; undefined: no bound. */
  readonly failOpenBudget: FailOpenBudget | undefined
  /** Undefined: the decisions port hears nothing of it. */
  readonly decisions: DecisionLogSpec | undefined
  /** Host calls and metrics are counted for each stream that is watched, which each of them pays for. */
  readonly counted: boolean
}

/** What an embedder has to say; everything else has Envoy's default. */
export interface PluginOptions extends Partial<
  Omit<
    PluginSpec,
    'name' | 'module' | 'configuration' | 'vmConfiguration' | 'limits' | 'allowedCapabilities'
  >
> {
  readonly name: string
  readonly module: LoadedModule
  /** Text (mostly JSON) or bytes. */
  readonly configuration?: string | Uint8Array<ArrayBuffer>
  readonly vmConfiguration?: string | Uint8Array<ArrayBuffer>
  readonly limits?: Partial<PluginLimits>
  readonly allowedCapabilities?: Iterable<string> | undefined
}

/** Fills in the defaults of a plugin's spec. */
export function pluginSpec(options: PluginOptions): PluginSpec {
  const { allowedCapabilities, configuration = '', vmConfiguration = '', limits, ...rest } = options
  const bytes = (value: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
    typeof value === 'string' ? textToBytes(value) : value
  return {
    rootId: '',
    vmId: '',
    environment: [],
    failStrategy: 'FAIL_CLOSE',
    shareVm: false,
    allowOnHeadersStopIteration: false,
    logOnly: undefined,
    decisions: undefined,
    counted: false,
    ...rest,
    configuration: bytes(configuration),
    vmConfiguration: bytes(vmConfiguration),
    // no failure of a log-only plugin stops a stream
    failOpenBudget: rest.logOnly === undefined ? rest.failOpenBudget : undefined,
    limits: { ...DEFAULT_LIMITS, ...limits },
    allowedCapabilities:
      allowedCapabilities === undefined ? undefined : new Set(allowedCapabilities),
  }
}
