/**
 * What a scenario is: plugins, what the upstream answers, what the client sends. The same data makes an
 * Envoy listener and a Postern route.
 */
import type { HeaderPairs } from '../support/exchange.ts'

/** One step of the probe; see test/fixtures/probe/README.md. */
export type Step = Readonly<Record<string, unknown>>
export type Steps = Readonly<Record<string, readonly Step[]>>

export interface ScenarioPlugin {
  /** `name:version` of a bound module; the probe of ABI 0.2.1 unless given. */
  readonly module?: string
  /** The probe's script. */
  readonly steps?: Steps
  /** Another plugin's configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly failStrategy?: 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD'
  /** Scope of shared data; plugins of one vm id and module run in one vm. Each has its own unless given. */
  readonly vm?: string
  readonly vmConfiguration?: string
  readonly env?: Readonly<Record<string, string>>
  readonly capabilities?: readonly string[]
  readonly allowOnHeadersStopIteration?: boolean
  /** Most bytes of a body that may be held. */
  readonly bodyBytes?: number
}

export interface ScenarioRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: HeaderPairs
  readonly body?: string
  /** Sent in chunks, a moment apart. */
  readonly chunks?: readonly string[]
  readonly trailers?: HeaderPairs
  /** The client resets the connection then. */
  readonly leavesAfterMs?: number
  /** Not waited for before the next one is sent. */
  readonly background?: boolean
  /** Milliseconds to wait before it is sent. */
  readonly waitMs?: number
}

/** What the upstream answers. */
export interface Answer {
  readonly status?: number
  readonly headers?: HeaderPairs
  readonly body?: string
  /** Sent in chunks, a moment apart. */
  readonly chunks?: readonly string[]
  readonly trailers?: HeaderPairs
  /** Where the connection is reset: before the head, or behind what was said of the body. */
  readonly breaks?: 'before' | 'behind'
}

export interface Scenario {
  /** Unique; words joined by `-`. */
  readonly name: string
  readonly plugins: readonly ScenarioPlugin[]
  /** One GET unless given. */
  readonly requests?: readonly ScenarioRequest[]
  readonly answer?: Answer
  /** Milliseconds to wait behind the last request, for what comes later. */
  readonly settleMs?: number
  /** Has an Envoy of its own: it does not survive this. */
  readonly alone?: boolean
  /** The plugins refuse to start: nothing is sent. */
  readonly refused?: boolean
  /** Compare each body callback of that direction with its size: the chunks are sent apart. */
  readonly everyChunk?: 'request' | 'response'
  /** Compare the order of header lines as well. */
  readonly headerOrder?: boolean
}

/** A scenario with its number, which names its hosts, vms and upstream. */
export interface Numbered extends Scenario {
  readonly id: string
}

export const PROBE = 'probe:0.2.1'
/** The upstream that all callouts may go to. */
export const CALLEE = 'callee'
/** An upstream whose port nobody listens on. */
export const REFUSED = 'refused'

/** `s12`, its host `s12.test`, its upstream `s12`, its vms `s12.p1`, … */
export function numbered(scenarios: readonly Scenario[]): Numbered[] {
  return scenarios.map((scenario, i) => ({ ...scenario, id: `s${i + 1}` }))
}

export function hostOf({ id }: Numbered): string {
  return `${id}.test`
}

/** p1, p2, … */
export function labelOf(index: number): string {
  return `p${index + 1}`
}

export function vmIdOf({ id }: Numbered, plugin: ScenarioPlugin, index: number): string {
  return `${id}.${plugin.vm ?? labelOf(index)}`
}

export function isProbe({ module = PROBE }: ScenarioPlugin): boolean {
  return module.startsWith('probe:')
}

/** A plugin's configuration; `@upstream` in it stands for the scenario's own upstream. */
export function configOf({ id }: Numbered, plugin: ScenarioPlugin): Record<string, unknown> {
  const config = plugin.config ?? { steps: plugin.steps ?? {} }
  return JSON.parse(JSON.stringify(config).replaceAll('@upstream', id)) as Record<string, unknown>
}
