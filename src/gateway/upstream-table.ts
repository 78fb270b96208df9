/** All upstreams of a snapshot, by name and by alias. */
import type { SnapshotUpstream } from '../config/snapshot.ts'
import { forgetOutlier, GuardedUpstream } from './guarded-upstream.ts'
import type { Meters } from './meters.ts'
import { type Reachable, Upstream } from './upstream.ts'

export class UpstreamTable {
  readonly #byName = new Map<string, Upstream>()
  readonly #configs: Readonly<Record<string, SnapshotUpstream>>
  readonly #reachable: Reachable
  readonly #meters: Meters

  constructor(
    configs: Readonly<Record<string, SnapshotUpstream>>,
    reachable: Reachable,
    meters: Meters,
  ) {
    this.#configs = configs
    this.#reachable = reachable
    this.#meters = meters
    for (const config of Object.values(configs)) {
      const upstream = this.#make(config)
      if (config.outlier === undefined) forgetOutlier(upstream.meter)
      for (const alias of config.aliases) this.#byName.set(alias, upstream)
      this.#byName.set(config.name, upstream)
    }
  }

  get(nameOrAlias: string): Upstream | undefined {
    return this.#byName.get(nameOrAlias)
  }

  /** The same, asked for another host where that can be said: at a service binding. */
  getAs(name: string, host: string): Upstream | undefined {
    const config = this.#configs[name]
    return config?.service === undefined ? this.get(name) : this.#make(config, host)
  }

  #make(config: SnapshotUpstream, host?: string): Upstream {
    const guarded = config.allowedPaths !== undefined || config.outlier !== undefined
    return new (guarded ? GuardedUpstream : Upstream)(config, this.#reachable, this.#meters, host)
  }
}
