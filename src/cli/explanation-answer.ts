/** What a gateway answers to `/-/explain`, as far as it is printed. */
import * as v from 'valibot'

export interface HeaderChangeAnswer {
  readonly name: string
  readonly before?: readonly string[] | undefined
  readonly after?: readonly string[] | undefined
}

interface LineAnswer {
  readonly level: number
  readonly message: string
}

export interface StepAnswer {
  readonly plugin: string
  readonly callback: string
  readonly returned?: string | undefined
  readonly requestHeaders: readonly HeaderChangeAnswer[]
  readonly responseHeaders: readonly HeaderChangeAnswer[]
  readonly body?: { readonly before: number; readonly after: number } | undefined
  readonly replied: boolean
  readonly trapped?: string | undefined
  readonly logs: readonly LineAnswer[]
}

export interface RunAnswer {
  readonly steps: readonly StepAnswer[]
  readonly logs: readonly (LineAnswer & { readonly plugin: string })[]
  readonly asked: readonly {
    readonly who: string
    readonly method: string
    readonly url: string
    readonly answered?: number | string | undefined
  }[]
  readonly response: {
    readonly status: number
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly bytes: number
    readonly text: string
  }
}

export interface ExplanationAnswer {
  readonly revision: number
  readonly request: { readonly method: string; readonly url: string }
  readonly gateway: string | null
  readonly route: {
    readonly name: string
    readonly rule: number
    readonly hostname: string
    readonly match: string
  } | null
  readonly candidates: readonly {
    readonly route: string
    readonly rule: number
    readonly hostname: string
    readonly match: string
    readonly failed?: string | undefined
  }[]
  readonly more: number
  readonly previews?:
    | {
        readonly good: readonly {
          readonly rollout: string
          readonly side: string
          readonly until: string
        }[]
        readonly ignored: number
      }
    | undefined
  readonly chain: readonly {
    readonly plugin: string
    readonly module: string
    readonly sha256: string
    readonly phase: string
    readonly priority: number
    readonly mode: string
    readonly state: string
    readonly lastError: string | null
  }[]
  readonly skipped: readonly { readonly plugin: string; readonly why: string }[]
  readonly backends: readonly {
    readonly upstream: string
    readonly to: string
    readonly percent: number
    readonly ejected?: boolean | undefined
  }[]
  readonly filters: Readonly<Record<string, unknown>>
  readonly run?: RunAnswer | undefined
}

const headerChange = v.looseObject({
  name: v.string(),
  before: v.optional(v.array(v.string())),
  after: v.optional(v.array(v.string())),
})

const line = v.looseObject({ level: v.number(), message: v.string() })

const step = v.looseObject({
  plugin: v.string(),
  callback: v.string(),
  returned: v.optional(v.string()),
  requestHeaders: v.optional(v.array(headerChange), []),
  responseHeaders: v.optional(v.array(headerChange), []),
  body: v.optional(v.looseObject({ before: v.number(), after: v.number() })),
  replied: v.optional(v.boolean(), false),
  trapped: v.optional(v.string()),
  logs: v.array(line),
})

const headers = v.array(v.tuple([v.string(), v.string()]))

const run = v.looseObject({
  steps: v.array(step),
  logs: v.array(v.looseObject({ ...line.entries, plugin: v.string() })),
  asked: v.array(
    v.looseObject({
      who: v.string(),
      method: v.string(),
      url: v.string(),
      headers,
      answered: v.optional(v.union([v.number(), v.string()])),
    }),
  ),
  response: v.looseObject({ status: v.number(), headers, bytes: v.number(), text: v.string() }),
})

export const explanationSchema: v.GenericSchema<unknown, ExplanationAnswer> = v.looseObject({
  revision: v.number(),
  request: v.looseObject({ method: v.string(), url: v.string() }),
  gateway: v.nullable(v.string()),
  route: v.nullable(
    v.looseObject({ name: v.string(), rule: v.number(), hostname: v.string(), match: v.string() }),
  ),
  candidates: v.array(
    v.looseObject({
      route: v.string(),
      rule: v.number(),
      hostname: v.string(),
      match: v.string(),
      failed: v.optional(v.string()),
    }),
  ),
  more: v.number(),
  previews: v.optional(
    v.looseObject({
      good: v.array(v.looseObject({ rollout: v.string(), side: v.string(), until: v.string() })),
      ignored: v.number(),
    }),
  ),
  chain: v.array(
    v.looseObject({
      plugin: v.string(),
      module: v.string(),
      sha256: v.string(),
      phase: v.string(),
      priority: v.number(),
      mode: v.string(),
      state: v.string(),
      lastError: v.nullable(v.string()),
    }),
  ),
  skipped: v.array(v.looseObject({ plugin: v.string(), why: v.string() })),
  backends: v.array(
    v.looseObject({
      upstream: v.string(),
      to: v.string(),
      percent: v.number(),
      ejected: v.optional(v.boolean()),
    }),
  ),
  filters: v.record(v.string(), v.unknown()),
  run: v.optional(run),
})
