/** What of the candidate is compared with the stable version, and how much worse it may be. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, whole } from './fields.ts'
import type { MEAN_METRICS, RATE_METRICS } from '../snapshot-rollout.ts'

export interface AnalysisMetric {
  readonly name: (typeof RATE_METRICS)[number] | (typeof MEAN_METRICS)[number]
  readonly maxIncrease: number
}

export interface RolloutAnalysis {
  readonly metrics: readonly AnalysisMetric[]
  readonly minSamples?: number
  readonly confidence?: number
}

export const DEFAULT_MIN_SAMPLES = 200
export const DEFAULT_CONFIDENCE = 99

const CPU = 'clocks stand still while a Worker computes; write wall-time'
const NOT_APART =
  'it is not counted for each side; write server-errors, which a failure is to clients'

export const rolloutAnalysis: v.GenericSchema<RolloutAnalysis> = v.object({
  metrics: described(
    v.pipe(
      v.array(
        v.object({
          name: choice(['server-errors', 'denials', 'wall-time'], {
            about: doc(
              '`server-errors`: answers of 500 and above, those of a plugin that failed included. `denials`: answers of 400 to 499; what upstreams deny is on both sides alike. `wall-time`: milliseconds from the request to the headers of its answer.',
            ),
            outsideValues: { cpu: CPU, traps: NOT_APART, 'host-calls': NOT_APART },
          }),
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
                'How much more of it the candidate may have: of the first two, more requests in a hundred; of `wall-time`, more milliseconds for each request.',
              ),
            },
          ),
        }),
      ),
      v.minLength(1, 'expected at least one metric'),
      v.check(
        (metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length,
        'expected each metric once',
      ),
    ),
    {
      about: doc('What may not be worse than on the stable side, over the same time and audience.'),
    },
  ),
  minSamples: v.exactOptional(
    described(whole(1, 100_000_000), {
      about: doc('How many requests each side must have had in a step before anything is decided.'),
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
