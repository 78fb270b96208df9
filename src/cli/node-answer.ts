/** What a gateway says of its nodes in `/-/status`, as far as commands look at it. */
import * as v from 'valibot'

/** Something that is refused now. */
export interface RefusalAnswer {
  readonly code: string
  readonly message: string
  readonly at: string
  readonly revision: number
  readonly plugin?: string | undefined
  /** How many isolates of the node say so. */
  readonly isolates?: number | undefined
}

export interface NodeAnswer {
  readonly node: string
  /** `current`, `behind`, `refused` or `silent`. */
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
  readonly revision: number
  readonly behind: { readonly revisions: number; readonly seconds: number } | null
  readonly seenAt: string
  readonly count: number
  readonly refused: readonly RefusalAnswer[]
  readonly plugins: readonly {
    readonly plugin: string
    readonly state: string
    readonly reason: string
    readonly isolates: number
  }[]
}

export const refusalSchema: v.GenericSchema<unknown, RefusalAnswer> = v.looseObject({
  code: v.string(),
  message: v.string(),
  at: v.string(),
  revision: v.number(),
  plugin: v.optional(v.string()),
  isolates: v.optional(v.number()),
})

export const nodeSchema: v.GenericSchema<unknown, NodeAnswer> = v.looseObject({
  node: v.string(),
  state: v.string(),
  labels: v.record(v.string(), v.string()),
  revision: v.number(),
  behind: v.nullable(v.looseObject({ revisions: v.number(), seconds: v.number() })),
  seenAt: v.string(),
  count: v.number(),
  refused: v.array(refusalSchema),
  plugins: v.array(
    v.looseObject({
      plugin: v.string(),
      state: v.string(),
      reason: v.string(),
      isolates: v.number(),
    }),
  ),
})
