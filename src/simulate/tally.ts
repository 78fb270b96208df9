/** What a simulation comes to: counts of everything, and the first differences as samples. */
import { describeMove } from '../config/describe-move.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import type { Side } from '../rollout/pick.ts'
import { SHADOW_DIFFERENCES, type ShadowDifference } from '../rollout/shadow-comparison.ts'
import { maskedLines, type Sample, sampleOf, type Shown } from './sample.ts'
import type { Played, SidePart } from './simulation.ts'
import type { RecordedExchange } from './traffic/exchange.ts'

export type DifferenceClass = ShadowDifference['class']
export const DIFFERENCE_CLASSES: readonly DifferenceClass[] = SHADOW_DIFFERENCES

/** A request that a side never came back from: its guest had to be ended from outside. */
export interface Lost {
  readonly kind: 'lost'
  readonly side: Side
}

export interface SideReport {
  readonly traps: number
  /** Requests in which a plugin of the chain trapped or could not run, held on, or broke off. */
  readonly outcomes: Readonly<Record<'failed' | 'held' | 'reset', number>>
  /** How many requests were answered by a plugin, by status. */
  readonly localReplies: Readonly<Record<string, number>>
  /** For a request, on average. */
  readonly hostCalls: number
  readonly callouts: number
  /** What nobody answered: how often, by upstream, method and path. */
  readonly blocked: Readonly<Record<string, number>>
  /** Within the plugin's callbacks, in microseconds for a request, on this machine. */
  readonly guestMicroseconds: { readonly mean: number; readonly p99: number }
}

export interface SimulationReport {
  readonly rollout: string
  readonly plugin: string
  readonly requests: number
  /** Those that both versions got. */
  readonly compared: number
  readonly different: number
  /** Why others were not compared, and how many: `unplayable` has Fetch's reason. */
  readonly outside: Readonly<Record<'no-route' | 'no-plugin' | 'audience', number>>
  readonly unplayable: Readonly<Record<string, number>>
  /** A request may differ in several ways. */
  readonly differences: Readonly<Record<DifferenceClass, number>>
  /** Requests that did not come back. */
  readonly lost: readonly { readonly place: string; readonly side: Side }[]
  /** Of those compared: how many the candidate would get at each step of a first run; `5 % shadow`. */
  readonly steps: readonly { readonly step: string; readonly candidate: number }[]
  /** They are stable until the weight is 100. */
  readonly withoutKey: number
  /** Requests that failed in both versions, which says nothing of either: how many, and why the first did. */
  readonly failedAlike: { readonly requests: number; readonly first: readonly string[] }
  readonly stable: SideReport
  readonly candidate: SideReport
  readonly samples: readonly Sample[]
}

const FAILURES: ReadonlySet<string> = new Set(['failed', 'held', 'reset'])

/** Names of what was blocked, and of what Fetch refuses, so many each. */
const NAMES_MAX = 100

export class Tally {
  readonly #rollout: SnapshotRollout
  readonly #shown: Shown
  readonly #samplesMax: number
  readonly #differences = new Map<string, number>()
  readonly #outside = { 'no-route': 0, 'no-plugin': 0, audience: 0 }
  readonly #unplayable = new Map<string, number>()
  readonly #sides = { stable: new SideTally(), candidate: new SideTally() }
  readonly #lost: { place: string; side: Side }[] = []
  readonly #samples: Sample[] = []
  readonly #steps: number[]
  #alike = 0
  #why: readonly string[] = []
  #requests = 0
  #compared = 0
  #different = 0
  #withoutKey = 0

  /** @param samples - how many differences are kept to be shown */
  constructor(rollout: SnapshotRollout, samples: number, shown: Shown) {
    this.#rollout = rollout
    this.#samplesMax = samples
    this.#shown = shown
    this.#steps = rollout.steps.map(() => 0)
  }

  add(exchange: RecordedExchange, played: Played | Lost): void {
    this.#requests++
    switch (played.kind) {
      case 'outside':
        this.#outside[played.why]++
        return
      case 'unplayable':
        count(this.#unplayable, played.why)
        return
      case 'lost':
        this.#compared++
        this.#different++
        count(this.#differences, 'held')
        this.#lost.push({ place: exchange.place, side: played.side })
        return
      case 'compared':
        this.#addCompared(exchange, played)
    }
  }

  #addCompared(exchange: RecordedExchange, played: Played & { readonly kind: 'compared' }): void {
    const { differences, sticky, stable, candidate } = played
    this.#compared++
    this.#sides.stable.add(stable)
    this.#sides.candidate.add(candidate)
    if (!sticky.hasKey) this.#withoutKey++
    for (const [step, gets] of sticky.candidate.entries()) {
      if (gets) this.#steps[step] = (this.#steps[step] ?? 0) + 1
    }
    if (differences.length === 0) {
      if (FAILURES.has(stable.outcome) && ++this.#alike === 1) {
        this.#why = [exchange.place].concat(maskedLines(exchange, stable.said))
      }
      return
    }
    this.#different++
    for (const name of new Set(differences.map((one) => one.class))) count(this.#differences, name)
    if (this.#samples.length < this.#samplesMax) {
      this.#samples.push(sampleOf(exchange, played, this.#shown))
    }
  }

  /** Whether one of these kinds of difference was found. */
  has(classes: readonly DifferenceClass[]): boolean {
    return classes.some((one) => this.#differences.has(one))
  }

  get lost(): number {
    return this.#lost.length
  }

  get compared(): number {
    return this.#compared
  }

  report(): SimulationReport {
    const { id, plugin, steps } = this.#rollout
    return {
      rollout: id,
      plugin,
      requests: this.#requests,
      compared: this.#compared,
      different: this.#different,
      outside: this.#outside,
      unplayable: Object.fromEntries(this.#unplayable),
      differences: Object.fromEntries(
        DIFFERENCE_CLASSES.map((name) => [name, this.#differences.get(name) ?? 0]),
      ) as SimulationReport['differences'],
      lost: this.#lost,
      steps: steps.map((step, at) => ({
        step: describeMove({ mode: this.#rollout.mode, ...step }),
        candidate: this.#steps[at] ?? 0,
      })),
      withoutKey: this.#withoutKey,
      failedAlike: { requests: this.#alike, first: this.#why },
      stable: this.#sides.stable.report(),
      candidate: this.#sides.candidate.report(),
      samples: this.#samples,
    }
  }
}

class SideTally {
  readonly #replies = new Map<string, number>()
  readonly #blocked = new Map<string, number>()
  readonly #ms: number[] = []
  #traps = 0
  readonly #outcomes = { failed: 0, held: 0, reset: 0 }
  #callouts = 0
  #hostCalls = 0

  add({ outcome, traps, replied, callouts, hostCalls, blocked, ms }: SidePart): void {
    if (outcome === 'failed' || outcome === 'held' || outcome === 'reset') this.#outcomes[outcome]++
    this.#traps += traps
    this.#callouts += callouts
    this.#hostCalls += hostCalls
    this.#ms.push(ms)
    if (replied !== undefined) count(this.#replies, `${replied}`)
    for (const name of blocked) count(this.#blocked, name)
  }

  report(): SideReport {
    const sorted = this.#ms.toSorted((a, b) => a - b)
    const sum = sorted.reduce((all, one) => all + one, 0)
    const p99 = sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? 0
    return {
      traps: this.#traps,
      outcomes: this.#outcomes,
      localReplies: Object.fromEntries(this.#replies),
      hostCalls: Math.round((this.#hostCalls / Math.max(sorted.length, 1)) * 10) / 10,
      callouts: this.#callouts,
      blocked: Object.fromEntries(this.#blocked),
      guestMicroseconds: {
        mean: Math.round((sum / Math.max(sorted.length, 1)) * 1000),
        p99: Math.round(p99 * 1000),
      },
    }
  }
}

function count(counts: Map<string, number>, name: string): void {
  const known = counts.get(name)
  if (known === undefined && counts.size >= NAMES_MAX) return count(counts, 'others')
  counts.set(name, (known ?? 0) + 1)
}
