/**
 * `postern.dev/v1alpha1 PluginRollout`: another version of a WasmPlugin and how it goes out: to whom,
 * in which steps, watched by what, and what happens when it is worse than the one that runs.
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { duration, durationMs } from './duration.ts'
import { choice, described, ignored, jsonObject, percent, resourceName } from './fields.ts'
import { httpRouteMatch } from './http-route.ts'
import type { HttpRouteMatch } from './http-route.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'
import { blackoutWindow } from './rollout-blackout.ts'
import type { BlackoutWindow } from './rollout-blackout.ts'
import { rolloutAnalysis } from './rollout-analysis.ts'
import type { RolloutAnalysis } from './rollout-analysis.ts'
import type { RolloutMode } from '../snapshot-rollout.ts'
import { stickyKey } from './rollout-key.ts'
import type { RolloutKey } from './rollout-key.ts'
import { moduleSha256, moduleUrl } from './wasm-fields.ts'

export interface RolloutStep {
  readonly weight: number
  readonly pause?: string
  readonly until?: 'passes'
  readonly timeout?: string
  readonly mode?: RolloutMode
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> }
}

export interface PluginRollout {
  readonly apiVersion: 'postern.dev/v1alpha1'
  readonly kind: 'PluginRollout'
  readonly metadata: Metadata
  readonly spec: {
    readonly targetRef: {
      readonly group: 'extensions.istio.io'
      readonly kind: 'WasmPlugin'
      readonly name: string
    }
    readonly candidate: {
      readonly url?: string
      readonly sha256?: string
      readonly pluginConfig?: Readonly<Record<string, unknown>>
    }
    readonly mode?: RolloutMode
    readonly logOnly?: { readonly callouts?: 'run' | 'block' }
    readonly audience?: {
      readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> }
      readonly matches?: readonly HttpRouteMatch[]
      readonly always?: readonly string[]
      readonly never?: readonly string[]
    }
    readonly key?: RolloutKey
    readonly steps: readonly RolloutStep[]
    readonly blackout?: readonly BlackoutWindow[]
    readonly analysis?: RolloutAnalysis
    readonly onFailure?: 'rollback' | 'pause'
    readonly deadline?: string
  }
}

const weight = v.pipe(
  percent,
  v.check(
    (value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6,
    'expected three decimals at the most',
  ),
)

const MODES = ['shadow', 'log-only', 'enforce'] as const

const WITHOUT_END = 'expected pause, until or both: a step that is over at once is no step'
const TIMEOUT_ALONE = 'expected until beside timeout'

const step = v.pipe(
  v.object({
    weight: described(weight, {
      about: doc('The share of the audience, in per cent, in thousandths of one at the finest.'),
    }),
    pause: v.exactOptional(
      described(duration, {
        about: doc('How long the step lasts at least, once its weight is in effect.'),
        default: doc('0s'),
      }),
    ),
    until: v.exactOptional(
      choice(['passes'], {
        about: doc('`passes`: the step lasts until `analysis` has passed since it began.'),
        default: doc('the end of `pause`'),
      }),
    ),
    timeout: v.exactOptional(
      described(duration, {
        about: doc('How long `until` may take before the rollout pauses, since nobody can tell.'),
        default: doc('1h'),
      }),
    ),
    mode: v.exactOptional(
      choice(MODES, {
        about: doc(
          'What becomes of the candidate from this step on, on its nodes. `shadow` comes before `log-only`, that before `enforce`: modes never go back.',
        ),
        default: doc("the rollout's"),
      }),
    ),
    selector: v.exactOptional(
      v.object({
        matchLabels: described(v.record(v.string(), v.string()), {
          about: doc(
            'The nodes this step is for: those of the audience with all of these labels. Others stay as the steps before have left them.',
          ),
        }),
      }),
    ),
  }),
  v.check(({ pause, until }) => pause !== undefined || until !== undefined, WITHOUT_END),
  v.check(({ timeout, until }) => timeout === undefined || until !== undefined, TIMEOUT_ALONE),
)

const keys = v.pipe(
  v.array(v.pipe(v.string(), v.minLength(1, 'expected a key'), v.maxLength(512))),
  v.maxLength(1000, 'expected 1,000 keys or less'),
)

const audience = v.object({
  selector: v.exactOptional(
    v.object({
      matchLabels: described(v.record(v.string(), v.string()), {
        about: doc(
          'The nodes it goes to: those with all of these labels, such as a ring of stores.',
        ),
      }),
    }),
  ),
  matches: v.exactOptional(
    described(v.pipe(v.array(httpRouteMatch), v.minLength(1, 'expected at least one match')), {
      about: doc('The requests it is for, as in an HTTPRoute; any of them must hold.'),
      default: doc('all requests the plugin sees'),
    }),
  ),
  always: v.exactOptional(
    described(keys, {
      about: doc('Values of the key that get the candidate from the first step on, at any weight.'),
      default: doc('[]'),
    }),
  ),
  never: v.exactOptional(
    described(keys, {
      about: doc('Values of the key that stay stable at any weight; counts before `always`.'),
      default: doc('[]'),
    }),
  ),
})

const spec = v.object({
  targetRef: v.object({
    group: choice(['extensions.istio.io'], { about: doc('The group of the kind.') }),
    kind: choice(['WasmPlugin'], { about: doc('What has a rollout.') }),
    name: described(resourceName, {
      about: doc("The plugin, in the rollout's namespace. A plugin has one rollout at most."),
    }),
  }),
  candidate: v.pipe(
    v.object({
      url: v.exactOptional(
        described(moduleUrl, {
          about: doc("The other module, as in a WasmPlugin's `url`."),
          default: doc("the plugin's"),
        }),
      ),
      sha256: v.exactOptional(
        described(moduleSha256, { about: doc("As in a WasmPlugin's `sha256`; with `url`.") }),
      ),
      pluginConfig: v.exactOptional(
        described(jsonObject, {
          about: doc('The other configuration, all of it: nothing is merged.'),
          default: doc("the plugin's"),
        }),
      ),
    }),
    v.check(
      ({ url, pluginConfig }) => url !== undefined || pluginConfig !== undefined,
      'expected url, pluginConfig or both',
    ),
    v.check(
      ({ url, sha256 }) => sha256 === undefined || url !== undefined,
      'expected url beside sha256',
    ),
  ),
  mode: v.exactOptional(
    choice(MODES, {
      about: doc(
        '`enforce`: the candidate takes the place of the stable version in the requests it gets. `shadow`: those keep the stable version, and the candidate runs behind the response, on a copy; nothing it does reaches anybody. `log-only`: it runs in those requests, beside the stable version, and what it does is dropped; its callouts are made. A step may have one of its own.',
      ),
      default: doc('enforce'),
    }),
  ),
  logOnly: v.exactOptional(
    v.object({
      callouts: v.exactOptional(
        choice(['run', 'block'], {
          about: doc(
            "What becomes of the candidate's calls in mode log-only. `run`: they are made, beside the stable version's. `block`: they fail as if nobody could be reached.",
          ),
          default: doc('run'),
        }),
      ),
    }),
  ),
  audience: v.exactOptional(audience),
  key: v.exactOptional(stickyKey),
  steps: described(
    v.pipe(
      v.array(step),
      v.minLength(1, 'expected at least one step'),
      v.maxLength(50, 'expected 50 steps or less'),
    ),
    {
      about: doc(
        'From one weight to the next, each above those before in its mode and on its nodes; behind the last it waits to be promoted.',
      ),
    },
  ),
  blackout: v.exactOptional(
    described(v.pipe(v.array(blackoutWindow), v.maxLength(20, 'expected 20 windows or less')), {
      about: doc('When no weight rises on a node; going back is never held up.'),
      default: doc('never'),
    }),
  ),
  analysis: v.exactOptional(rolloutAnalysis),
  onFailure: v.exactOptional(
    choice(['rollback', 'pause'], {
      about: doc(
        'What a failed analysis and the deadline do. `rollback`: weight 0 at once. `pause`: the weight stays.',
      ),
      default: doc('rollback'),
    }),
  ),
  deadline: v.exactOptional(
    described(duration, {
      about: doc('How long the steps may take in all, pauses included.'),
      default: doc('no bound'),
    }),
  ),
})

export const pluginRolloutSchema: v.GenericSchema<unknown, PluginRollout> = v.object({
  apiVersion: v.literal('postern.dev/v1alpha1'),
  kind: v.literal('PluginRollout'),
  metadata: metadataSchema,
  spec: v.pipe(
    spec,
    v.check(
      ({ steps, analysis }) => analysis !== undefined || steps.every(({ until }) => !until),
      'expected analysis: a step has until',
    ),
    v.check(
      ({ mode: usual = 'enforce', steps, analysis }) =>
        !analysis?.metrics.some(({ name }) => name === 'wall-time') ||
        steps.every((one) => (one.mode ?? usual) === 'enforce'),
      'expected no wall-time where a step is not in mode enforce: a copy takes no time of a request',
    ),
    v.check(
      ({ deadline = '1s' }) => durationMs(deadline) > 0,
      'expected a deadline that is not at once',
    ),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
