/** The shape of a snapshot's rollouts; see snapshot-schema.ts. */
import * as v from 'valibot'
import { sha256Text } from './text-field.ts'
import { MEAN_METRICS, RATE_METRICS, ROLLOUT_MODES } from './snapshot-rollout.ts'
import type { SnapshotRollout } from './snapshot-rollout.ts'
import { routeMatchSchema } from './snapshot-route-schema.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const minute = v.pipe(count, v.maxValue(1439))
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0))

export const rolloutSchema: v.GenericSchema<unknown, SnapshotRollout> = v.strictObject({
  id: v.string(),
  plugin: v.string(),
  candidate: v.strictObject({
    module: sha256Text,
    moduleName: v.exactOptional(v.string()),
    moduleVersion: v.exactOptional(v.string()),
    configuration: v.string(),
  }),
  mode: v.picklist(ROLLOUT_MODES),
  logOnly: v.exactOptional(v.strictObject({ callouts: v.literal('block') })),
  selector: v.exactOptional(v.record(v.string(), v.string())),
  matches: v.exactOptional(v.pipe(v.array(routeMatchSchema), v.minLength(1))),
  always: v.exactOptional(v.array(v.string())),
  never: v.exactOptional(v.array(v.string())),
  key: v.union([
    v.strictObject({ type: v.literal('clientIp') }),
    v.strictObject({
      type: v.picklist(['cookie', 'header', 'query', 'jwtClaim', 'issued']),
      name: v.string(),
    }),
  ]),
  steps: v.pipe(
    v.array(
      v.strictObject({
        weight: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
        pauseMs: count,
        passesWithinMs: v.exactOptional(count),
        mode: v.exactOptional(v.picklist(ROLLOUT_MODES)),
        selector: v.exactOptional(v.record(v.string(), v.string())),
      }),
    ),
    v.minLength(1),
  ),
  blackout: v.exactOptional(
    v.array(
      v.strictObject({
        from: minute,
        to: minute,
        days: v.exactOptional(v.array(v.pipe(count, v.maxValue(6)))),
        timeZone: v.exactOptional(v.string()),
      }),
    ),
  ),
  analysis: v.exactOptional(
    v.strictObject({
      metrics: v.pipe(
        v.array(
          v.strictObject({
            name: v.picklist([...RATE_METRICS, ...MEAN_METRICS]),
            metric: v.exactOptional(v.string()),
            maxIncrease: positive,
          }),
        ),
        v.minLength(1),
      ),
      minSamples: count,
      alpha: v.pipe(positive, v.ltValue(1)),
    }),
  ),
  onFailure: v.picklist(['rollback', 'pause']),
  deadlineMs: v.exactOptional(positive),
})
