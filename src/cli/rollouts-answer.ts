/** What a gateway says of its rollouts, as far as it is looked at here. */
import * as v from 'valibot'

type Phase = 'running' | 'paused' | 'complete' | 'rolled-back' | 'promoted'

interface Finding {
  readonly verdict: string
  readonly requests: { readonly stable: number; readonly candidate: number }
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
    readonly reason: string
    readonly finding?: Finding | undefined
  }[]
}

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
      reason: v.string(),
      finding: v.optional(
        v.looseObject({
          verdict: v.string(),
          requests: v.looseObject({ stable: v.number(), candidate: v.number() }),
        }),
      ),
    }),
  ),
})
