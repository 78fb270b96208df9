/** The filters of a chain: how they are made, and what a paused stream asks of all of them. */
import type { Plugin } from '../vm/plugin.ts'
import { Aside } from './aside.ts'
import type { Chain } from './chain.ts'
import type { ChainOptions } from './chain-options.ts'
import { Filter } from './filter.ts'
import { runIn } from './io-context.ts'
import { withTaps } from './shadow-tap.ts'
import { Tally } from './tally.ts'

/**
 * The filters of a new chain, in request order.
 * @param chains - of which log-only plugins get one of their own
 */
export function filtersOf(
  chain: Chain,
  { plugins, io, beside, shadows, watches }: ChainOptions,
  chains: typeof Chain,
): Filter[] {
  const filters = runIn(io, () =>
    plugins.map((plugin) => filterOf(chain, plugin, beside, chains, watches)),
  )
  return shadows === undefined ? filters : withTaps(chain, filters, shadows, chains)
}

function filterOf(
  chain: Chain,
  plugin: Plugin,
  beside: ChainOptions['beside'],
  chains: typeof Chain,
  watches: ChainOptions['watches'],
): Filter {
  const { logOnly, failOpenBudget } = plugin.spec
  // in a chain beside another, what a log-only plugin does is done: to that chain
  if (logOnly !== undefined && beside === undefined)
    return new Aside(chain, plugin, chains, watches)
  if (failOpenBudget !== undefined) plugin.come()
  const filter = new Filter(chain, plugin, plugin.acquire())
  const watch = watches?.find((one) => one.plugin === plugin)
  if (watch !== undefined) filter.tally = new Tally(watch.observer)
  return filter
}

/** The first plugin that holds something back in either direction. */
export function holderOf({ filters, request, response }: Chain): Filter | undefined {
  return filters.find(
    (filter) =>
      (filter.request.paused && !request.closed) || (filter.response.paused && !response.closed),
  )
}

/** The earliest of the filters' next turns. */
export function nextTurnOf(filters: readonly Filter[]): number | undefined {
  let next: number | undefined
  for (const { nextTurn } of filters) {
    if (nextTurn !== undefined && (next === undefined || nextTurn < next)) next = nextTurn
  }
  return next
}

/** A copy on write of what plugins of another stream set. */
export class StoredBeside extends Map<string, Uint8Array> {
  readonly #outer: ReadonlyMap<string, Uint8Array>

  constructor(outer: ReadonlyMap<string, Uint8Array>) {
    super()
    this.#outer = outer
  }

  override get(key: string): Uint8Array | undefined {
    return super.get(key) ?? this.#outer.get(key)
  }

  override has(key: string): boolean {
    return super.has(key) || this.#outer.has(key)
  }
}
