/**
 * The snapshot: all resources compiled into one immutable JSON value, named by the sha256 of its
 * bytes. It is what a gateway runs. Written by `compile.ts`, checked again by `snapshot-schema.ts`
 * when a gateway reads it, and never changed: a change is another snapshot.
 */
import type { PluginLimits } from '../proxy-wasm/limits.ts'
import type { DecisionLogSpec, FailOpenBudget, LogOnly } from '../proxy-wasm/vm/plugin-spec.ts'
import type { LastGood } from './last-good.ts'
import type { SnapshotRollout } from './snapshot-rollout.ts'
import type { SnapshotGateway, SnapshotRoute, SnapshotUpstream } from './snapshot-route.ts'

export type * from './snapshot-route.ts'

/** The number of the shape. A snapshot of an older one is brought to it when it is read. */
export const SNAPSHOT_SCHEMA = 2

/** Where in the chain a plugin runs; the order of this list is the order on the request path. */
export const PHASES = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED_PHASE'] as const
export type Phase = (typeof PHASES)[number]

/** What happens to a stream when its plugin fails. */
export const FAIL_STRATEGIES = ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'] as const
export type FailStrategy = (typeof FAIL_STRATEGIES)[number]

/** What a log-only plugin's own calls do: they run, or none of them leaves. */
export const LOG_ONLY_CALLOUTS = ['run', 'block'] as const

/** A plugin's id: `<namespace>.<name>`, the name Istio gives it in Envoy's configuration. */
export type PluginId = string

/** Name and value; a name alone is a variable whose value the node has, and nobody else. */
export type EnvEntry = readonly [name: string, value?: string]

export interface SnapshotPlugin {
  readonly id: PluginId
  readonly name: string
  readonly namespace: string
  /** sha256 of the module's original bytes, 64 hex digits. */
  readonly module: string
  readonly moduleName?: string
  readonly moduleVersion?: string
  /** Istio's `pluginName`; empty when it is not set, as Istio leaves Envoy's `root_id` empty. */
  readonly rootId: string
  readonly phase: Phase
  readonly priority: number
  /** JSON text of `pluginConfig`, keys sorted; empty when there is none. */
  readonly configuration: string
  readonly failStrategy: FailStrategy
  /** Environment variables of its vm, sorted by name. */
  readonly env: readonly EnvEntry[]
  /** Labels of the nodes it runs on; absent: every node. */
  readonly selector?: Readonly<Record<string, string>>
  /** The ports it sees requests of, of the chains it is in; absent: every port. */
  readonly ports?: readonly number[]
  readonly vmId: string
  /** Shares a vm with the plugins of the same module, vm id and vm configuration. */
  readonly shareVm: boolean
  readonly vmConfiguration: string
  /** The host calls and callbacks it may use, by name; absent: all. */
  readonly allowedCapabilities?: readonly string[]
  /** A bound that is absent has the machine's default. */
  readonly limits: Partial<PluginLimits>
  /** The upstreams it may call, keys of `Snapshot.upstreams`; absent: all that are declared. */
  readonly upstreams?: readonly string[]
  readonly allowOnHeadersStopIteration: boolean
  /** It runs and what it does is recorded and dropped; absent: what it does is done. */
  readonly mode?: 'log-only'
  /** Present exactly when `mode` is. */
  readonly logOnly?: LogOnly
  /** Beyond it FAIL_OPEN is FAIL_CLOSE; absent: no bound. Only where `failStrategy` is FAIL_OPEN. */
  readonly failOpenBudget?: FailOpenBudget
  /** Absent: its decisions are not written. A log-only plugin always has it. */
  readonly decisions?: DecisionLogSpec
  /** One vm for the whole gateway; it is in no chain. */
  readonly singleton?: true
  /** What may run in its place when it does not start, newest first. */
  readonly lastGood?: readonly LastGood[]
}

export interface Snapshot {
  readonly schema: typeof SNAPSHOT_SCHEMA
  /** Sorted by namespace and name; those that were declared, and the default Gateway. */
  readonly gateways: readonly SnapshotGateway[]
  /** Sorted by namespace and name; which one wins is decided per match (`route-order.ts`). */
  readonly routes: readonly SnapshotRoute[]
  /** The chain of a request for a host that no listener has: the default Gateway's. */
  readonly gatewayPlugins: readonly PluginId[]
  readonly plugins: Readonly<Record<PluginId, SnapshotPlugin>>
  readonly upstreams: Readonly<Record<string, SnapshotUpstream>>
  /** Sorted by id; absent: none. */
  readonly rollouts?: readonly SnapshotRollout[]
}
