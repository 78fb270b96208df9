/** What of the candidate is compared with the stable version, and how much worse it may be. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, text, whole } from './fields.ts'
import { MEAN_METRICS, RATE_METRICS } from '../snapshot-rollout.ts'

export interface AnalysisMetric {
  readonly name: (typeof RATE_METRICS)[number] | (typeof MEAN_METRICS)[number]
  readonly metric?: string
  readonly maxIncrease: number
}

export interface RolloutAnalysis {
  readonly metrics: readonly AnalysisMetric[]
  readonly minSamples?: number
  readonly confidence?: number
}

export const DEFAULT_MIN_SAMPLES = 200
export const DEFAULT_CONFIDENCE = 99

const CPU = 'clocks stand still while a Worker computes; write wall-time or host-calls'
const METRICS_MAX = 20
const RATES: ReadonlySet<string> = new Set(RATE_METRICS)

export const rolloutAnalysis: v.GenericSchema<RolloutAnalysis> = v.object({
  metrics: described(
    v.pipe(
      v.array(
        v.object({
          name: choice([...RATE_METRICS, ...MEAN_METRICS], {
            about: doc(
              "`server-errors`: answers of 500 and above, those of a plugin that failed included. `denials`: answers of 400 to 499; what upstreams deny is on both sides alike. `traps`: requests in which the plugin trapped, could not run or held on for too long, whatever its failStrategy made of them. `wall-time`: milliseconds from the request to the headers of its answer. `host-calls`: calls of `proxy_*` functions for a request. `plugin-metric`: a counter or histogram of the plugin's own.",
            ),
            outsideValues: { cpu: CPU },
          }),
          metric: v.exactOptional(
            described(text(/^[^"\\\s]{1,256}$/, 'a name without spaces, quotes and backslashes'), {
              about: doc(
                'Of `plugin-metric`: its name, as the plugin defines it, or as `/-/metrics` shows it, without labels.',
              ),
              default: doc('required with `plugin-metric`'),
            }),
          ),
          maxIncrease: described(
            v.pipe(
              v.number(),
              v.finite(),
              v.check(
                (value) => value > 0,
                'expected a number above 0: two versions are never equal to the last digit',
              ),
            ),
            {
              about: doc(
                'How much more of it the candidate may have: of `server-errors`, `denials` and `traps`, more requests in a hundred; of `wall-time`, more milliseconds for each request; of `host-calls`, more calls; of a counter, how much more each request adds to it; of a histogram, how much greater its values are.',
              ),
            },
          ),
        }),
      ),
      v.minLength(1, 'expected at least one metric'),
      v.maxLength(METRICS_MAX, `expected ${METRICS_MAX} metrics or less`),
      v.check(
        (metrics) =>
          new Set(metrics.map(({ name, metric = '' }) => `${name} ${metric}`)).size ===
          metrics.length,
        'expected each metric once',
      ),
      v.check(
        (metrics) =>
          metrics.every(
            ({ name, metric }) => (name === 'plugin-metric') === (metric !== undefined),
          ),
        'expected metric beside name: plugin-metric, and nowhere else',
      ),
      v.check(
        (metrics) =>
          metrics.every(({ name, maxIncrease }) => !RATES.has(name) || maxIncrease < 100),
        'expected a maxIncrease below 100 of what is in a hundred requests: more than all of them cannot fail',
      ),
    ),
    {
      about: doc('What may not be worse than on the stable side, over the same time and audience.'),
    },
  ),
  minSamples: v.exactOptional(
    described(whole(1, 100_000_000), {
      about: doc(
        'How many requests (of a histogram, values) each side must have had in a step before anything is decided.',
      ),
      default: doc(`${DEFAULT_MIN_SAMPLES}`),
    }),
  ),
  confidence: v.exactOptional(
    described(
      v.pipe(
        v.number(),
        v.minValue(80, 'expected a number from 80 to 99.999'),
        v.maxValue(99.999, 'expected a number from 80 to 99.999'),
      ),
      {
        about: doc(
          'In per cent: how sure it must be, over all metrics, steps and looks of one rollout, before the candidate is said to be worse.',
        ),
        default: doc(`${DEFAULT_CONFIDENCE}`),
      },
    ),
  ),
})
