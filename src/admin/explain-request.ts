/** What `/-/explain` is asked: a request that could come, as JSON or as a query. */
import * as v from 'valibot'

const ABSOLUTE = 'expected an absolute http:// or https:// url'

export interface ExplainRequest {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body?: string | undefined
  /** A revision; absent: what runs. */
  readonly at?: number | undefined
  readonly run: boolean
  readonly upstream: boolean
  readonly showSecrets: boolean
}

export const explainRequestSchema: v.GenericSchema<unknown, ExplainRequest> = v.strictObject({
  url: v.pipe(
    v.string(),
    v.check((text) => /^https?:/i.test(text) && URL.canParse(text), ABSOLUTE),
  ),
  method: v.optional(v.string(), 'GET'),
  headers: v.optional(v.array(v.strictTuple([v.string(), v.string()])), []),
  body: v.optional(v.string()),
  at: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  run: v.optional(v.boolean(), false),
  upstream: v.optional(v.boolean(), false),
  showSecrets: v.optional(v.boolean(), false),
})

/**
 * The query of `GET /-/explain` as such a body: `?url=…&method=POST&header=x-beta:yes&at=4&run`. What it
 * does not take (`upstream` and `showSecrets` are for POST) is left in, for the schema to refuse by name.
 */
export function explainQuery(query: URLSearchParams): object {
  const { header: _header, at, run, ...rest } = Object.fromEntries(query)
  return {
    ...rest,
    ...(at === undefined ? {} : { at: Number(at) }),
    ...(run === undefined ? {} : { run: run !== 'false' }),
    headers: query.getAll('header').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  }
}
