/**
 * Chains in which a plugin is for some ports alone: which of its plugins a request of a port runs
 * through. Asked only where a snapshot has such plugins.
 */
import type { SnapshotPlugin } from '../config/snapshot.ts'
import type { Plugin } from '../proxy-wasm/index.ts'

type Chain = readonly Plugin[]
type Ports = ReadonlyMap<Plugin, ReadonlySet<number>>

export class ChainPorts {
  /** The ports of plugins that are not for all of them. */
  readonly #ports: Ports
  /** What came out for a chain and a port that is named somewhere. */
  readonly #chains = new WeakMap<Chain, Map<number | undefined, Chain>>()
  readonly #named: ReadonlySet<number>

  private constructor(ports: Ports) {
    this.#ports = ports
    const named = new Set<number>()
    for (const some of ports.values()) for (const port of some) named.add(port)
    this.#named = named
  }

  /** @returns undefined when every plugin is for every port */
  static of(
    configs: readonly SnapshotPlugin[],
    plugins: ReadonlyMap<string, Plugin>,
  ): ChainPorts | undefined {
    const ports = new Map<Plugin, ReadonlySet<number>>()
    for (const config of configs) {
      const plugin = plugins.get(config.id)
      if (plugin && config.ports) ports.set(plugin, new Set(config.ports))
    }
    return ports.size === 0 ? undefined : new ChainPorts(ports)
  }

  /** The plugins of a chain that are for a port, in their order. */
  select(chain: Chain, asked: number): Chain {
    // ports that nobody names are all the same, so that clients cannot make this grow
    const port = this.#named.has(asked) ? asked : undefined
    let chains = this.#chains.get(chain)
    if (chains === undefined) this.#chains.set(chain, (chains = new Map()))
    let selected = chains.get(port)
    if (selected === undefined) {
      selected = chain.filter((plugin) => {
        const ports = this.#ports.get(plugin)
        return ports === undefined || (port !== undefined && ports.has(port))
      })
      chains.set(port, selected)
    }
    return selected
  }
}
