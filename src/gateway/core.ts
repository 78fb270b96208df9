/**
 * What everything that runs plugins of a snapshot is made of: vms, the configuration that says which,
 * what is counted, and where it is reported. The gateway of an isolate and the host of singletons are
 * each this and what drives it.
 */
import type { Baseline } from '../config/active-config.ts'
import { LiveConfig } from '../config/live-config.ts'
import type { RequestScope } from '../config/activation.ts'
import { type ConfigClock, systemClock } from '../config/clock.ts'
import type { PointerTrust } from '../config/pointer-gate.ts'
import type { Snapshot, SnapshotPlugin } from '../config/snapshot.ts'
import type { CopyStore } from '../config/snapshot-copy.ts'
import type { ConfigSource } from '../config/source.ts'
import { envoyFunctions } from '../foreign/index.ts'
import { DecisionLog, FAMILIES, type ReportReply, type TagRule } from '../observe/index.ts'
import { inMemoryPorts, type Ports, type SharedQueuesPort, VmPool } from '../proxy-wasm/index.ts'
import { Activator } from './activate.ts'
import { grpcCallsPort } from './grpc-calls.ts'
import { httpCallsPort } from './http-calls.ts'
import type { Meters } from './meters.ts'
import type { ModuleSource } from './modules.ts'
import { type GatewayNode, PLAIN_NODE } from './node.ts'
import { pluginTroubles } from './plugin-troubles.ts'
import { type OwnFacts, Reports, type ReportsOptions } from './reports.ts'
import { RolloutWeights } from './rollout-weights.ts'
import type { Running } from './running.ts'
import type { Reachable, Upstream } from './upstream.ts'

export interface CoreOptions {
  readonly source: ConfigSource
  readonly modules: ModuleSource
  readonly reachable: Reachable
  /** Ports of the machine that differ from the in-memory ones. */
  readonly ports?: Partial<Ports>
  readonly clock?: ConfigClock
  /** The node this runs on: its labels, and what it gives to plugins. */
  readonly node?: GatewayNode
  /** Seconds; see `LiveConfigOptions`. */
  readonly refreshSeconds?: number | undefined
  readonly maxStaleSeconds?: number | undefined
  readonly trust?: PointerTrust | undefined
  readonly copy?: CopyStore | undefined
  readonly baseline?: Baseline | undefined
  /** Guest memory above which idle plugins lose their vm. */
  readonly vmMemoryBytes?: number | undefined
  /** How labels are found in the names of plugins' metrics. */
  readonly metricTags?: readonly TagRule[]
  /** Where this isolate reports; absent: nowhere, and what it shows is its own alone. */
  readonly reports?: ReportsOptions | undefined
}

export interface CoreParts {
  readonly meters: Meters
  /** Which plugins of a snapshot run here. */
  readonly runs: (plugin: SnapshotPlugin) => boolean
  readonly sharedQueues: SharedQueuesPort
  /** Called before a snapshot is brought up. */
  readonly beforeActivate?: (snapshot: Snapshot, scope: RequestScope) => void
}

export class Core {
  readonly pool: VmPool
  readonly live: LiveConfig<Running>
  readonly activator: Activator
  readonly reports: Reports
  readonly weights: RolloutWeights

  constructor(options: CoreOptions, parts: CoreParts) {
    const { modules, ports, reachable, clock = systemClock, node = PLAIN_NODE, ...config } = options
    const { meters, runs, sharedQueues, beforeActivate } = parts
    const callable = (plugin: string, name: string): Upstream | undefined =>
      this.activator.running?.callable(plugin, name)
    const decisions = new DecisionLog({
      write: (line) => console.log(line),
      revision: () => this.live.status().revision,
      versionOf: (module) => modules.modules.find(({ sha256 }) => sha256 === module)?.version,
      dropped: meters.registry.counter(FAMILIES.decisionsDropped),
    })
    this.pool = new VmPool(
      inMemoryPorts({
        httpCalls: httpCallsPort(callable),
        grpcCalls: grpcCallsPort(callable),
        foreignFunctions: envoyFunctions(),
        decisions,
        metrics: meters.guests.port,
        sharedQueues,
        ...ports,
      }),
      options.vmMemoryBytes,
    )
    const { source, refreshSeconds = 30 } = options
    const { maxStaleSeconds = refreshSeconds * 2 } = options
    const weights = new RolloutWeights({
      source,
      clock,
      refreshMs: refreshSeconds * 1000,
      maxStaleMs: maxStaleSeconds * 1000,
      labels: node.labels,
      hasHub: options.reports?.sink.hub !== undefined,
      ask: (scope) => this.reports.now(scope),
    })
    this.weights = weights
    const { pool } = this
    this.activator = new Activator({ modules, pool, reachable, meters, node, runs, weights })
    this.live = new LiveConfig<Running>({
      ...config,
      clock,
      activate: (snapshot, scope, late) => {
        beforeActivate?.(snapshot, scope)
        const activate = (): ReturnType<Activator['activate']> =>
          this.activator.activate(snapshot, scope, late)
        return snapshot.rollouts === undefined
          ? activate()
          : weights.follow(snapshot, scope).then(activate)
      },
      onRefusal: ({ code }) => meters.refused(code),
    })
    meters.watch(this.pool, () => this.live.status().revision)
    const own = (): OwnFacts => ({
      labels: node.labels,
      plugins: pluginTroubles(this.activator.running, this.live.status().refusals),
      ...weights.known,
    })
    const heard = ({ rollouts }: ReportReply): void => {
      if (rollouts !== undefined) weights.take(rollouts)
    }
    const { registry } = meters
    this.reports = new Reports(registry, this.live, options.reports, own, heard, weights.isPast)
  }
}
