/**
 * The fields of Istio's extension kinds that say which module runs and with what: all of a WasmPlugin
 * that is not about where, and the member `wasm` of a TrafficExtension.
 */
import * as v from 'valibot'
import { FAIL_STRATEGIES } from '../snapshot.ts'
import type { FailStrategy } from '../snapshot.ts'
import { doc } from './doc.ts'
import { choice, described, identifier, ignored, jsonObject, outside, text } from './fields.ts'
import type { OptionalField } from './fields.ts'

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: 'INLINE' | 'HOST'
}

export interface WasmFields {
  readonly url: string
  readonly sha256?: string
  readonly pluginConfig?: Readonly<Record<string, unknown>>
  readonly pluginName?: string
  readonly failStrategy?: FailStrategy
  readonly vmConfig?: { readonly env?: readonly EnvVar[] }
}

export const BOUND = 'modules are bound when the gateway is deployed; `postern add` brings them in'

/** A url as Istio takes it; without a scheme it is an image. */
export const moduleUrl: v.GenericSchema<string> = text(
  /^(?:(?:oci|https?|file):\/\/|(?![a-zA-Z][a-zA-Z0-9+.-]*:\/\/))./,
  'oci://…, https://…, http://… or file://…',
)

/** Empty is as good as absent, as in Istio. */
export const moduleSha256: v.GenericSchema<string> = text(
  /^([0-9a-f]{64})?$/,
  '64 lower-case hex digits',
)

const env = v.pipe(
  v.object({
    name: described(identifier, { about: doc('The name of the environment variable.') }),
    value: v.exactOptional(
      described(v.pipe(v.string(), v.maxLength(2048, 'expected 2,048 characters or less')), {
        about: doc('Its value; not with `HOST`.'),
        default: doc('""'),
      }),
    ),
    valueFrom: v.exactOptional(
      choice(['INLINE', 'HOST'], {
        about: doc(
          "Where the value comes from. `HOST`: the node's variable or secret of that name, which `ALLOWED_HOST_ENV` must list; its value is never stored or sent.",
        ),
        default: doc('INLINE'),
      }),
    ),
  }),
  v.check(
    ({ valueFrom, value }) => valueFrom !== 'HOST' || value === undefined || value === '',
    'expected no value: with valueFrom HOST it is the node that has it',
  ),
)

export const wasmFields: {
  readonly url: v.GenericSchema<string>
  readonly sha256: OptionalField<string>
  readonly pluginConfig: OptionalField<Readonly<Record<string, unknown>>>
  readonly pluginName: OptionalField<string>
  readonly failStrategy: OptionalField<FailStrategy>
  readonly vmConfig: OptionalField<NonNullable<WasmFields['vmConfig']>>
  readonly imagePullPolicy: OptionalField<string>
  readonly imagePullSecret: OptionalField<unknown>
  readonly type: OptionalField<string>
  readonly verificationKey: OptionalField<unknown>
} = {
  url: described(moduleUrl, {
    about: doc(
      'Where the module comes from: `oci://…/<name>:<version>`, `https://…` or `file://…`; without a scheme, `oci://`. It must name a module that is bound (see "How a url finds its module").',
    ),
  }),
  sha256: v.exactOptional(
    described(moduleSha256, {
      about: doc(
        "sha256 of the module's bytes, or of the image a registered url names. Decides which module runs when it is set.",
      ),
    }),
  ),
  pluginConfig: v.exactOptional(
    described(jsonObject, {
      about: doc(
        'Handed to the plugin as JSON text, keys sorted; no bytes at all when it is empty.',
      ),
      default: doc('{}'),
    }),
  ),
  pluginName: v.exactOptional(
    described(
      v.pipe(
        v.string(),
        v.minLength(1, 'expected a name'),
        v.maxLength(256, 'expected 256 characters or less'),
      ),
      { about: doc('The root id: which plugin of the module to run.'), default: doc('""') },
    ),
  ),
  failStrategy: v.exactOptional(
    choice(FAIL_STRATEGIES, {
      about: doc(
        'What a failure of the plugin does to its streams. FAIL_CLOSE: 503. FAIL_OPEN: the plugin is skipped. FAIL_RELOAD: 503, and a new vm for the next request.',
      ),
      default: doc('FAIL_CLOSE'),
    }),
  ),
  vmConfig: v.exactOptional(
    v.object({
      env: v.exactOptional(
        described(v.pipe(v.array(env), v.maxLength(256, 'expected 256 variables or less')), {
          about: doc('Environment variables the plugin sees.'),
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
      about: doc('The kind of plugin.'),
      default: doc('HTTP'),
      outsideValues: { NETWORK: 'a Worker sees requests, not TCP streams' },
    }),
  ),
  verificationKey: outside('signatures of modules are not checked; pin sha256 instead'),
}
