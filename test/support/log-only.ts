/** Log-only plugins in the machine, and what is told of them. */
import type { Decided, PluginOptions } from '../../src/proxy-wasm/index.ts'
import { type Machine, machine, type MachineOptions, probe, script } from './machine.ts'
import { type Played, type PlayOptions, playPlugins, type Steps } from './play.ts'

/** What a policy with `mode: log-only` makes of a plugin. */
export const LOG_ONLY: Pick<PluginOptions, 'logOnly' | 'decisions'> = {
  logOnly: { callouts: 'run' },
  decisions: { sampling: 100, mask: [] },
}

/** What is told of a decision, without whose and whereabout. */
export type Told = Omit<Decided, 'info' | 'io' | 'request' | 'plugin'> & { readonly by: string }

/** A machine, what was told of decisions, and what goes on behind requests. */
export interface World {
  readonly host: Machine
  readonly told: Told[]
  readonly background: Promise<unknown>[]
  play(plugins: readonly Partial<PluginOptions>[], options?: PlayOptions): Promise<Played>
}

export function world(options: MachineOptions = {}): World {
  const told: Told[] = []
  const decisions = {
    decided({ plugin, ...all }: Decided): void {
      const whose = new Set(['info', 'io', 'request'])
      const what = Object.entries(all).filter(([member]) => !whose.has(member))
      told.push({ by: plugin.name, ...(Object.fromEntries(what) as Omit<Told, 'by'>) })
    },
  }
  const host = machine({ ...options, ports: { ...options.ports, decisions } })
  const background: Promise<unknown>[] = []
  return {
    host,
    told,
    background,
    async play(plugins, played = {}) {
      const made = await Promise.all(
        plugins.map((plugin, i) => host.plugin({ module: probe(), name: `p${i + 1}`, ...plugin })),
      )
      const io = { waitUntil: (work: Promise<unknown>) => void background.push(work), gone: false }
      return playPlugins(host, made, { io, ...played })
    },
  }
}

/** The probe with these steps, enforcing. */
export const steps = (those: Steps): Partial<PluginOptions> => ({ configuration: script(those) })
/** The probe with these steps, log-only. */
export const logOnly = (
  those: Steps,
  more: Partial<PluginOptions> = {},
): Partial<PluginOptions> => ({
  ...steps(those),
  ...LOG_ONLY,
  ...more,
})
/** A step that sets a header. */
export const set = (name: string, value: string): unknown => ({ call: 'set_header', name, value })
