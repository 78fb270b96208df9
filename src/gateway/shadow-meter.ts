/**
 * What runs of a candidate behind requests, or beside them, come to: how many there were, how they differed, by kind, and, for the
 * analysis of its rollout, what each side would have answered. Differences go to the decision log too.
 */
import { type Counter, FAMILIES } from '../observe/index.ts'
import {
  type NotCompared,
  type Plugin,
  type ShadowedStream,
  type ShadowObserver,
  Tally,
  type Verdict,
} from '../proxy-wasm/index.ts'
import type { Side } from '../rollout/pick.ts'
import { shadowDifferences, wouldAnswer } from '../rollout/shadow-comparison.ts'
import type { Meters, SideMeter } from './meters.ts'
import type { StreamMeter } from './stream-meter.ts'

/** Of a stream in which the candidate could not be called. */
const FAILED: Tally = Object.assign(new Tally(), { failed: true })

/** Under which names they are counted. */
const COUNTED = {
  shadow: { runs: 'shadowRuns', differences: 'shadowDifferences' },
  'log-only': { runs: 'logOnlyRuns', differences: 'logOnlyDifferences' },
} as const

interface CountedSide {
  readonly answers: SideMeter
  readonly streams: StreamMeter
}

export class ShadowMeter implements ShadowObserver {
  readonly #meters: Meters
  readonly #labels: { readonly rollout: string; readonly run: string }
  readonly #candidate: Plugin
  readonly #mode: keyof typeof COUNTED
  /** Undefined: nothing is counted, differences are told all the same. */
  readonly #sides: Readonly<Record<Side, CountedSide>> | undefined

  /**
   * @param labels - which rollout, and which run of it
   * @param candidate - whose decisions are told
   * @param mode - of the step that the counts are for
   * @param counted - whether its runs say how the rollout goes; those of a preview do not
   * @param asked - metrics of the plugin's own that are compared
   */
  constructor(
    meters: Meters,
    labels: { readonly rollout: string; readonly run: string },
    candidate: Plugin,
    mode: keyof typeof COUNTED = 'shadow',
    counted: boolean = true,
    asked: readonly string[] = [],
  ) {
    this.#meters = meters
    this.#labels = labels
    this.#candidate = candidate
    this.#mode = mode
    const sideOf = (side: Side): CountedSide => ({
      answers: meters.side({ ...labels, mode, side }),
      streams: meters.streams({ ...labels, mode, side }, asked),
    })
    if (counted) this.#sides = { stable: sideOf('stable'), candidate: sideOf('candidate') }
  }

  compared(stable: Verdict, candidate: Verdict, { info, request, io }: ShadowedStream): void {
    if (this.#sides !== undefined) {
      count(this.#sides.stable, stable)
      count(this.#sides.candidate, candidate)
    }
    const differences = shadowDifferences(stable, candidate)
    this.#count(differences.length === 0 ? 'equal' : 'different')
    const { spec, pool } = this.#candidate
    for (const { class: details, ...difference } of differences) {
      if (this.#sides) this.#counter('differences', { class: details }).add()
      if (spec.decisions === undefined) continue
      const about = { plugin: spec, info, request, io }
      pool.ports.decisions.decided({ class: this.#mode, details, ...difference, ...about })
    }
  }

  notCompared(why: NotCompared, down?: Tally): void {
    if (down !== undefined) {
      this.#sides?.stable.streams.ended(down)
      this.#sides?.candidate.streams.ended(FAILED)
    }
    this.#count(why)
  }

  #count(result: 'equal' | 'different' | NotCompared): void {
    if (this.#sides) this.#counter('runs', { result }).add()
  }

  /** Behind the response: a lookup for each is no matter. */
  #counter(what: 'runs' | 'differences', own: Readonly<Record<string, string>>): Counter {
    return this.#meters.registry.counter(FAMILIES[COUNTED[this.#mode][what]], {
      ...this.#labels,
      ...own,
    })
  }
}

function count({ answers, streams }: CountedSide, verdict: Verdict): void {
  // how long a plugin takes on a copy says nothing of how long it would take
  answers.answered(wouldAnswer(verdict) ?? 0, 0)
  if (verdict.tally !== undefined) streams.ended(verdict.tally)
}
