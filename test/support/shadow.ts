/** One request through a plugin that has a shadow, and everything that came of both. */
import {
  type IoContext,
  type NotCompared,
  type Plugin,
  type PluginOptions,
  runFetchStream,
  type Tally,
  type Verdict,
} from '../../src/proxy-wasm/index.ts'
import { type ShadowDifference, shadowDifferences } from '../../src/rollout/shadow-comparison.ts'
import { type Machine, machine, type MachineOptions, probe, script } from './machine.ts'
import { latin1, type Steps } from './play.ts'

export interface ShadowOptions extends MachineOptions {
  readonly stable: Steps | Partial<PluginOptions>
  readonly candidate: Steps | Partial<PluginOptions>
  readonly request?: Request
  readonly response?: Response | (() => Response | Promise<Response>)
  /** Plugins in front of it and behind it. */
  readonly before?: Steps
  readonly behind?: Steps
  readonly host?: Machine
  readonly io?: IoContext
  /** The candidate runs beside the stable version, with these callouts, and not behind the response. */
  readonly beside?: 'run' | 'block'
  /** Leaves the response's body alone. */
  readonly unread?: true
}

export interface Shadowed {
  readonly host: Machine
  readonly stable: Plugin
  readonly candidate: Plugin
  readonly response: Response
  readonly body: string
  /** What reached the upstream. */
  readonly sent: { readonly headers: Headers; readonly body: string }[]
  readonly differences: readonly ShadowDifference[]
  /** Of each run: the candidate's. */
  readonly verdicts: readonly Verdict[]
  readonly notCompared: readonly NotCompared[]
  /** Of each run: the stable version's, the candidate's; of one that was down, the former alone. */
  readonly tallies: readonly (Tally | undefined)[]
  /** Of how many runs. */
  readonly compared: number
  /** Resolves when what goes on behind the response is over. */
  readonly over: () => Promise<void>
}

const CANDIDATE = { name: 'probe', logOnly: { callouts: 'replay' } } as const

/** Both versions are called the same, as in a gateway. */
export async function shadowed(options: ShadowOptions): Promise<Shadowed> {
  const host = options.host ?? machine(options)
  const stable = await host.plugin({ module: probe(), ...plugin(options.stable), name: 'probe' })
  const candidate = await host.plugin({
    module: probe(),
    ...plugin(options.candidate),
    ...CANDIDATE,
    ...(options.beside && { logOnly: { callouts: options.beside, compared: true } }),
  })
  const others = await Promise.all(
    [options.before, options.behind].map(
      (steps, i) =>
        steps && host.plugin({ module: probe(), name: `other${i}`, configuration: script(steps) }),
    ),
  )
  const [before, behind] = others
  return throughShadow(
    host,
    [before, stable, behind].filter((one) => one !== undefined),
    {
      ...options,
      plugins: [stable, candidate],
    },
  )
}

/** One request through plugins that are there already. */
export async function throughShadow(
  host: Machine,
  chain: readonly Plugin[],
  options: Omit<ShadowOptions, 'stable' | 'candidate'> & { readonly plugins: [Plugin, Plugin] },
): Promise<Shadowed> {
  const { request, response: answer = new Response('ok'), plugins } = options
  const [stable, candidate] = plugins
  const background: Promise<unknown>[] = []
  const io = options.io ?? { waitUntil: (work) => void background.push(work), gone: false }
  const sent: { headers: Headers; body: string }[] = []
  const differences: ShadowDifference[] = []
  const verdicts: Verdict[] = []
  const notCompared: NotCompared[] = []
  const tallies: (Tally | undefined)[] = []
  const response = await runFetchStream({
    plugins: chain,
    shadows: [
      {
        stable,
        candidate,
        observer: {
          compared(theirs, own) {
            verdicts.push(own)
            tallies.push(theirs.tally, own.tally)
            differences.push(...shadowDifferences(theirs, own))
          },
          notCompared(why, down) {
            notCompared.push(why)
            if (down !== undefined) tallies.push(down)
          },
        },
      },
    ],
    pool: host.pool,
    request: request ?? new Request('http://shop.example/items?page=2'),
    io,
    info: { startTime: host.pool.ports.clock.realtime() },
    async forward({ headers, body }) {
      const bytes = new Uint8Array(await new Response(body).arrayBuffer())
      sent.push({ headers: new Headers(headers), body: latin1(bytes) })
      return typeof answer === 'function' ? answer() : answer
    },
    decoded: new Set(['gzip', 'deflate', 'br']),
  })
  const body = options.unread ? '' : latin1(new Uint8Array(await response.arrayBuffer()))
  const over = async (): Promise<void> => {
    for (const work of background) await work
  }
  if (!options.unread) await over()
  return {
    host,
    stable,
    candidate,
    response,
    body,
    sent,
    differences,
    verdicts,
    notCompared,
    tallies,
    over,
    get compared() {
      return verdicts.length
    },
  }
}

function plugin(of: Steps | Partial<PluginOptions>): Partial<PluginOptions> {
  const isOptions = ['module', 'configuration', 'vmId', 'failStrategy'].some((name) => name in of)
  return isOptions ? of : { configuration: script(of as Steps) }
}
