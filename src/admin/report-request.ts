/** The body of `POST /-/reports`. Whoever has a token may be mistaken, or lie: nothing in it can harm the merged view's form. */
import * as v from 'valibot'
import type { Report } from '../observe/index.ts'

/** More nodes, labels and series than any Postern sends. */
const MOST = { labels: 64, refusals: 100, plugins: 500, series: 20_000, buckets: 100 }

const short = v.pipe(v.string(), v.maxLength(400))
const long = v.pipe(v.string(), v.maxLength(2_000))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** Of what only grows. */
const amount = v.pipe(v.number(), v.finite(), v.minValue(0))
const time = v.exactOptional(v.nullable(short))

const series = {
  name: v.pipe(short, v.regex(/^[a-zA-Z_:][\w:]*$/, 'no name of a metric')),
  // as they stand in the exposition format: a line of it must stay one
  labels: v.pipe(
    v.string(),
    v.maxLength(4_000),
    v.regex(/^(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,(?!$)|$))*$/, 'no labels of a metric'),
  ),
}

const sample = v.variant('kind', [
  v.object({ ...series, kind: v.literal('counter'), value: amount }),
  v.object({ ...series, kind: v.literal('gauge'), value: v.pipe(v.number(), v.finite()) }),
  v.object({
    ...series,
    kind: v.literal('histogram'),
    count,
    sum: v.pipe(v.number(), v.finite()),
    buckets: v.pipe(v.array(count), v.maxLength(MOST.buckets)),
  }),
])

/** A newer Postern may send more: what is not known is left out. */
const schema = v.object({
  node: v.pipe(short, v.minLength(1)),
  isolate: v.pipe(v.string(), v.regex(/^[\w-]{8,64}$/, 'no id of an isolate')),
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  labels: v.optional(
    v.pipe(
      v.record(short, short),
      v.check((all) => Object.keys(all).length <= MOST.labels, 'too many'),
    ),
  ),
  revision: count,
  snapshot: v.nullable(short),
  issuedAt: time,
  checkedAt: time,
  refusals: v.pipe(
    v.array(
      v.object({
        code: short,
        message: long,
        at: short,
        revision: count,
        plugin: v.exactOptional(short),
      }),
    ),
    v.maxLength(MOST.refusals),
  ),
  plugins: v.exactOptional(
    v.pipe(
      v.array(
        v.object({ plugin: short, state: v.picklist(['last-good', 'failed']), reason: long }),
      ),
      v.maxLength(MOST.plugins),
    ),
  ),
  rolloutsVersion: v.exactOptional(count),
  rolloutsPublisher: v.exactOptional(short),
  metrics: v.pipe(v.array(sample), v.maxLength(MOST.series)),
})

/** @returns the report, or what is wrong with it: where, and what was expected */
export function parseReport(
  body: unknown,
): { readonly report: Report } | { readonly wrong: string } {
  const parsed = v.safeParse(schema, body, { abortEarly: true })
  if (parsed.success) return { report: parsed.output }
  const [issue] = parsed.issues
  return { wrong: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message.slice(0, 300)}` }
}
