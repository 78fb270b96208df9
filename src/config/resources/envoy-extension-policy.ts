/**
 * `gateway.envoyproxy.io/v1alpha1 EnvoyExtensionPolicy`: Envoy Gateway's way to put plugins on a
 * Gateway or a route. Read for its member `wasm`; each entry is a plugin, in their order.
 * https://gateway.envoyproxy.io/docs/api/extension_types/#envoyextensionpolicy
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, identifier, ignored, outside, resourceName } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'
import type { PluginTargetRef } from './plugin-attachment.ts'
import { BOUND, moduleSha256, moduleUrl } from './wasm-fields.ts'

interface Code {
  readonly url: string
  readonly sha256?: string
}

export interface EnvoyWasm {
  readonly name?: string
  readonly rootID?: string
  readonly code: {
    readonly type: 'HTTP' | 'Image'
    readonly http?: Code
    readonly image?: Code
  }
  readonly config?: unknown
  readonly failOpen?: boolean
  readonly env?: { readonly hostKeys?: readonly string[] }
}

export interface EnvoyExtensionPolicy {
  readonly apiVersion: 'gateway.envoyproxy.io/v1alpha1'
  readonly kind: 'EnvoyExtensionPolicy'
  readonly metadata: Metadata
  readonly spec: {
    readonly targetRefs?: readonly PluginTargetRef[]
    readonly targetRef?: PluginTargetRef
    readonly wasm?: readonly EnvoyWasm[]
  }
}

const NO_TCP = 'a Worker sees requests, not streams; write HTTPRoute'

const target = v.object({
  group: choice(['gateway.networking.k8s.io'], { about: doc('The group of both kinds.') }),
  kind: choice(['Gateway', 'HTTPRoute'], {
    about: doc(
      "`HTTPRoute`: the plugins run on that route, in place of those of a policy for its Gateway. `Gateway`: on the Gateway's routes that have no policy of their own.",
    ),
    outsideValues: {
      ListenerSet: 'write the Gateway',
      GRPCRoute: 'write an HTTPRoute',
      TCPRoute: NO_TCP,
      TLSRoute: NO_TCP,
      UDPRoute: NO_TCP,
    },
  }),
  name: described(resourceName, {
    about: doc("The Gateway or HTTPRoute, in the policy's namespace."),
  }),
  sectionName: outside('a plugin is for a whole route'),
})

const sha256 = v.exactOptional(
  described(moduleSha256, {
    about: doc("sha256 of the module's bytes, or of the image a registered url names."),
  }),
)
const tls = outside('nothing is fetched when a request comes; `postern add` brings modules in')

const code = v.pipe(
  v.object({
    type: choice(['HTTP', 'Image'], {
      about: doc('Which of `http` and `image` there is.'),
      outsideValues: { ConfigMap: 'bring the module in with `postern add`' },
    }),
    http: v.exactOptional(
      v.object({
        url: described(moduleUrl, { about: doc('As `url` of a WasmPlugin.') }),
        sha256,
        tls,
      }),
    ),
    image: v.exactOptional(
      v.object({
        url: described(moduleUrl, {
          about: doc('As `url` of a WasmPlugin: `<registry>/…/<name>:<version>`.'),
        }),
        sha256,
        pullSecretRef: ignored(BOUND),
        tls,
      }),
    ),
    pullPolicy: ignored(BOUND),
  }),
  v.check(
    ({ type, http, image }) =>
      type === 'HTTP'
        ? http !== undefined && image === undefined
        : image !== undefined && http === undefined,
    'expected the member that type names, and not the other: http for HTTP, image for Image',
  ),
)

const wasm = v.object({
  name: v.exactOptional(
    described(resourceName, {
      about: doc('Names the plugin within the policy.'),
      default: doc('its place in the list, from 0'),
    }),
  ),
  rootID: v.exactOptional(
    described(v.string(), {
      about: doc('The root id: which plugin of the module to run.'),
      default: doc('""'),
    }),
  ),
  code,
  config: v.exactOptional(
    described(v.unknown(), {
      about: doc('Any JSON value; handed to the plugin as JSON text, keys sorted.'),
      default: doc('no bytes at all'),
    }),
  ),
  failOpen: v.exactOptional(
    described(v.boolean(), {
      about: doc('`true` is `failStrategy: FAIL_OPEN`, `false` is `FAIL_CLOSE`.'),
      default: doc('false'),
    }),
  ),
  env: v.exactOptional(
    v.object({
      hostKeys: v.exactOptional(
        described(v.array(identifier), {
          about: doc(
            "The node's variables and secrets that the plugin sees, which `ALLOWED_HOST_ENV` must list.",
          ),
          default: doc('[]'),
        }),
      ),
    }),
  ),
})

export const envoyExtensionPolicySchema: v.GenericSchema<unknown, EnvoyExtensionPolicy> = v.object({
  apiVersion: v.literal('gateway.envoyproxy.io/v1alpha1'),
  kind: v.literal('EnvoyExtensionPolicy'),
  metadata: metadataSchema,
  spec: v.pipe(
    v.object({
      targetRefs: v.exactOptional(
        described(v.pipe(v.array(target), v.minLength(1, 'expected at least one target')), {
          about: doc('What the plugins are for. A target has one policy at most.'),
        }),
      ),
      targetRef: v.exactOptional(
        described(target, { about: doc('The same as `targetRefs` with one entry.') }),
      ),
      wasm: v.exactOptional(
        described(v.pipe(v.array(wasm), v.maxLength(16, 'expected 16 entries or less')), {
          about: doc(
            'The plugins, in the order in which a request runs through them. In the chain they stand where a WasmPlugin without phase and priority does.',
          ),
          default: doc('[]'),
        }),
      ),
      targetSelectors: outside('name the targets'),
      mergeType: outside("write the plugins of the Gateway's policy in this one as well"),
      backends: outside('declare an Upstream; plugins call it by name or alias'),
      dynamicModule: outside('write the filter as a Wasm module'),
      extProc: outside('write the filter as a Wasm module'),
      lua: outside('write the filter as a Wasm module'),
    }),
    v.check(
      (spec) => (spec.targetRefs === undefined) !== (spec.targetRef === undefined),
      'expected one of targetRefs and targetRef',
    ),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
