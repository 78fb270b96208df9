/**
 * `extensions.istio.io/v1alpha1 WasmPlugin`: a configured use of a module. Istio's kind as it is;
 * what only a mesh can honour is refused by name, what pulls an image is accepted with a warning.
 */
import * as v from 'valibot'
import { FAIL_STRATEGIES, PHASES } from '../snapshot.ts'
import type { FailStrategy, Phase } from '../snapshot.ts'
import {
  choice,
  described,
  identifier,
  ignored,
  jsonObject,
  namespaceName,
  outside,
  resourceName,
  text,
  whole,
} from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export interface PluginTargetRef {
  readonly group: 'gateway.networking.k8s.io'
  readonly kind: 'Gateway' | 'HTTPRoute'
  readonly name: string
  readonly namespace?: string
}

export interface WasmPlugin {
  readonly apiVersion: 'extensions.istio.io/v1alpha1'
  readonly kind: 'WasmPlugin'
  readonly metadata: Metadata
  readonly spec: {
    readonly url: string
    readonly sha256?: string
    readonly targetRefs?: readonly PluginTargetRef[]
    readonly pluginConfig?: Readonly<Record<string, unknown>>
    readonly pluginName?: string
    readonly phase?: Phase
    readonly priority?: number
    readonly failStrategy?: FailStrategy
    readonly vmConfig?: {
      readonly env?: readonly {
        readonly name: string
        readonly value?: string
        readonly valueFrom?: 'INLINE'
      }[]
    }
  }
}

const BOUND = 'modules are bound when the gateway is deployed; `postern add` brings them in'

const targetRef = v.object({
  group: choice(['gateway.networking.k8s.io'], {
    about: 'The group of both kinds.',
    outsideValues: {
      '': 'write the HTTPRoute that leads to the Service',
      core: 'write the HTTPRoute that leads to the Service',
    },
  }),
  kind: choice(['Gateway', 'HTTPRoute'], {
    about: '`HTTPRoute`: the plugin runs on that route alone. `Gateway`: on every request.',
    outsideValues: {
      GatewayClass: 'write Gateway, or leave targetRefs out',
      Service: 'write the HTTPRoute that leads to it',
      ServiceEntry: 'write the HTTPRoute that leads to it',
    },
  }),
  name: described(resourceName, { about: 'The Gateway or HTTPRoute.' }),
  namespace: v.exactOptional(
    described(namespaceName, { about: "Must be the plugin's own.", default: "the plugin's" }),
  ),
  sectionName: outside('a plugin is for a whole route'),
})

const env = v.object({
  name: described(identifier, { about: 'The name of the environment variable.' }),
  value: v.exactOptional(
    described(v.pipe(v.string(), v.maxLength(2048, 'expected 2,048 characters or less')), {
      about: 'Its value.',
      default: '""',
    }),
  ),
  valueFrom: v.exactOptional(
    choice(['INLINE'], {
      about: 'Where the value comes from.',
      default: 'INLINE',
      outsideValues: { HOST: 'write the value inline' },
    }),
  ),
})

export const wasmPluginSchema: v.GenericSchema<unknown, WasmPlugin> = v.object({
  apiVersion: v.literal('extensions.istio.io/v1alpha1'),
  kind: v.literal('WasmPlugin'),
  metadata: metadataSchema,
  spec: v.object({
    url: described(v.pipe(v.string(), v.minLength(1, 'expected where the module comes from')), {
      about:
        'Where the module comes from: `oci://…/<name>:<version>`, `https://…` or `file://…`; without a scheme, `oci://`. It must name a module that is bound (see "How a url finds its module").',
    }),
    sha256: v.exactOptional(
      described(text(/^([0-9a-f]{64})?$/, '64 lower-case hex digits'), {
        about: "sha256 of the module's bytes. Decides which module runs when it is set.",
      }),
    ),
    targetRefs: v.exactOptional(
      described(v.array(targetRef), {
        about: 'What the plugin is for.',
        default: 'the whole gateway',
      }),
    ),
    pluginConfig: v.exactOptional(
      described(jsonObject, {
        about: 'Handed to the plugin as JSON text, keys sorted; no bytes at all when it is empty.',
        default: '{}',
      }),
    ),
    pluginName: v.exactOptional(
      described(
        v.pipe(
          v.string(),
          v.minLength(1, 'expected a name'),
          v.maxLength(256, 'expected 256 characters or less'),
        ),
        { about: 'The root id: which plugin of the module to run.', default: '""' },
      ),
    ),
    phase: v.exactOptional(
      choice(PHASES, {
        about: 'Where in the chain: AUTHN, then AUTHZ, then STATS, then UNSPECIFIED_PHASE.',
        default: 'UNSPECIFIED_PHASE',
      }),
    ),
    priority: v.exactOptional(
      described(whole(-(2 ** 31), 2 ** 31 - 1), {
        about: 'Within a phase the higher runs first; ties go by name, then namespace.',
        default: '0',
      }),
    ),
    failStrategy: v.exactOptional(
      choice(FAIL_STRATEGIES, {
        about:
          'What a failure of the plugin does to its streams. FAIL_CLOSE: 503. FAIL_OPEN: the plugin is skipped. FAIL_RELOAD: 503, and a new vm for the next request.',
        default: 'FAIL_CLOSE',
      }),
    ),
    vmConfig: v.exactOptional(
      v.object({
        env: v.exactOptional(
          described(v.pipe(v.array(env), v.maxLength(256, 'expected 256 variables or less')), {
            about: 'Environment variables the plugin sees.',
          }),
        ),
      }),
    ),
    imagePullPolicy: v.exactOptional(
      choice(['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'], { noEffect: BOUND }),
    ),
    imagePullSecret: ignored(BOUND),
    type: v.exactOptional(
      choice(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP'], {
        about: 'The kind of plugin.',
        default: 'HTTP',
        outsideValues: { NETWORK: 'a Worker sees requests, not TCP streams' },
      }),
    ),
    selector: outside('use targetRefs; without it the plugin runs on the whole gateway'),
    targetRef: outside('use targetRefs, a list'),
    match: outside('a plugin sees all the requests of what it targets'),
    verificationKey: outside('signatures of modules are not checked; pin sha256 instead'),
  }),
  status: ignored('a cluster writes it; there is none here'),
})
