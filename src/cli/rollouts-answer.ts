/** What a gateway says of its rollouts, as far as it is looked at here. */
import * as v from 'valibot'

type Phase = 'running' | 'paused' | 'complete' | 'rolled-back' | 'promoted'

export interface FindingAnswer {
  readonly verdict: string
  readonly requests: { readonly stable: number; readonly candidate: number }
  readonly metrics: readonly {
    readonly name: string
    /** Of a plugin's own: which. */
    readonly metric?: string | undefined
    readonly verdict: string
    /** Why nothing can be said, where it is not that it is too early. */
    readonly reason?: string | undefined
    readonly stable: number | null
    readonly candidate: number | null
    readonly least: number | null
    readonly most: number | null
    readonly maxIncrease: number
  }[]
}

type Labels = Readonly<Record<string, string>>

/** What runs of a rollout that is in the active revision. */
export interface RolloutViewAnswer {
  readonly plugin: string
  readonly steps: readonly {
    readonly weight: number
    readonly mode: string
    readonly selector?: Labels | undefined
  }[]
  readonly selector?: Labels | undefined
  readonly finding?: FindingAnswer | undefined
  readonly outlook: { readonly waitsFor: string; readonly until?: number | undefined }
  readonly hasBlackout: boolean
}

export interface RolloutsAnswer {
  readonly rollouts: Readonly<
    Record<
      string,
      {
        readonly run: number
        readonly phase: Phase
        readonly reason: string
        readonly step: number
        readonly moves: readonly {
          readonly effectiveAt: number
          readonly weight: number
          readonly mode?: string | undefined
          readonly selector?: Readonly<Record<string, string>> | undefined
        }[]
      }
    >
  >
  readonly kills: readonly {
    readonly plugin: string
    readonly selector?: Readonly<Record<string, string>> | undefined
  }[]
  readonly history: readonly {
    readonly at: number
    readonly rollout: string
    readonly run: number
    readonly phase: string
    readonly step: number
    readonly weight: number
    readonly mode?: string | undefined
    readonly selector?: Labels | undefined
    readonly reason: string
    readonly finding?: FindingAnswer | undefined
  }[]
  /** The gateway's time; absent in what is answered to a change, as are the others. */
  readonly now?: number | undefined
  /** From the decision of a rise to its effect, in milliseconds. */
  readonly riseLeadMs?: number | undefined
  readonly views?: Readonly<Record<string, RolloutViewAnswer>> | undefined
  /** Those of the active revision that were never started. */
  readonly notStarted?: readonly string[] | undefined
  readonly unseen?: string | undefined
}

const labels = v.record(v.string(), v.string())
const number = v.nullable(v.number())

const finding = v.looseObject({
  verdict: v.string(),
  requests: v.looseObject({ stable: v.number(), candidate: v.number() }),
  metrics: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        metric: v.optional(v.string()),
        verdict: v.string(),
        reason: v.optional(v.string()),
        stable: number,
        candidate: number,
        least: number,
        most: number,
        maxIncrease: v.number(),
      }),
    ),
    [],
  ),
})

export const rolloutsSchema: v.GenericSchema<unknown, RolloutsAnswer> = v.looseObject({
  rollouts: v.record(
    v.string(),
    v.looseObject({
      run: v.number(),
      phase: v.picklist(['running', 'paused', 'complete', 'rolled-back', 'promoted']),
      reason: v.string(),
      step: v.number(),
      moves: v.array(
        v.looseObject({
          effectiveAt: v.number(),
          weight: v.number(),
          mode: v.optional(v.string()),
          selector: v.optional(v.record(v.string(), v.string())),
        }),
      ),
    }),
  ),
  kills: v.array(
    v.looseObject({
      plugin: v.string(),
      selector: v.optional(v.record(v.string(), v.string())),
    }),
  ),
  history: v.array(
    v.looseObject({
      at: v.number(),
      rollout: v.string(),
      run: v.number(),
      phase: v.string(),
      step: v.number(),
      weight: v.number(),
      mode: v.optional(v.string()),
      selector: v.optional(labels),
      reason: v.string(),
      finding: v.optional(finding),
    }),
  ),
  now: v.optional(v.number()),
  riseLeadMs: v.optional(v.number()),
  notStarted: v.optional(v.array(v.string())),
  unseen: v.optional(v.string()),
  views: v.optional(
    v.record(
      v.string(),
      v.looseObject({
        plugin: v.string(),
        steps: v.array(
          v.looseObject({ weight: v.number(), mode: v.string(), selector: v.optional(labels) }),
        ),
        selector: v.optional(labels),
        finding: v.optional(finding),
        outlook: v.looseObject({ waitsFor: v.string(), until: v.optional(v.number()) }),
        hasBlackout: v.boolean(),
      }),
    ),
  ),
})
