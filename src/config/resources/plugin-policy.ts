/**
 * `postern.dev/v1alpha1 PluginPolicy`: what Postern adds to a WasmPlugin, in a kind of its own so
 * that one WasmPlugin file serves Istio and Postern alike.
 */
import * as v from 'valibot'
import type { PluginLimits } from '../../proxy-wasm/limits.ts'
import { DEFAULT_LIMITS } from '../../proxy-wasm/limits.ts'
import { LOG_ONLY_CALLOUTS } from '../snapshot.ts'
import {
  choice,
  described,
  fieldName,
  ignored,
  outside,
  percent,
  resourceName,
  whole,
} from './fields.ts'
import { doc } from './doc.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export const MODES = ['enforce', 'log-only'] as const

export interface PolicyTarget {
  readonly group: 'extensions.istio.io' | 'gateway.envoyproxy.io'
  readonly kind: 'WasmPlugin' | 'TrafficExtension' | 'EnvoyExtensionPolicy'
  readonly name: string
  readonly sectionName?: string
}

export interface PluginPolicy {
  readonly apiVersion: 'postern.dev/v1alpha1'
  readonly kind: 'PluginPolicy'
  readonly metadata: Metadata
  readonly spec: {
    readonly targetRefs: readonly PolicyTarget[]
    readonly limits?: Partial<PluginLimits>
    readonly allowedCapabilities?: readonly string[]
    readonly upstreams?: readonly string[]
    readonly vmId?: string
    readonly shareVm?: boolean
    readonly vmConfiguration?: string
    readonly allowOnHeadersStopIteration?: boolean
    readonly singleton?: boolean
    readonly mode?: (typeof MODES)[number]
    readonly logOnly?: { readonly callouts?: (typeof LOG_ONLY_CALLOUTS)[number] }
    readonly failOpenBudget?: { readonly percent: number; readonly minimum?: number }
    readonly decisionLog?: { readonly sampling?: number; readonly mask?: readonly string[] }
  }
}

const NOT_ENFORCED = 'it is not enforced yet, and a limit that is not must not look as if it were'

const limits = v.object({
  bodyBytes: v.exactOptional(
    described(whole(0, 2 ** 30), {
      about: doc(
        'The most bytes of one body held for the plugin: beyond it 413 (request) or 500 (response).',
      ),
      default: doc(`${DEFAULT_LIMITS.bodyBytes}`),
    }),
  ),
  calloutsPerRequest: v.exactOptional(
    described(whole(0, 10_000), {
      about: doc('The most calls one request may start.'),
      default: doc(`${DEFAULT_LIMITS.calloutsPerRequest}`),
    }),
  ),
  pauseMs: v.exactOptional(
    described(whole(1, 3_600_000), {
      about: doc('The longest a request may stay paused before `failStrategy` decides.'),
      default: doc(`${DEFAULT_LIMITS.pauseMs}`),
    }),
  ),
  logLinesPerSecond: v.exactOptional(
    described(whole(0, 1_000_000), {
      about: doc(
        'The most lines the plugin may log in a second; one line says how many more there were.',
      ),
      default: doc(`${DEFAULT_LIMITS.logLinesPerSecond}`),
    }),
  ),
  memoryBytes: outside(NOT_ENFORCED),
  fuel: outside(NOT_ENFORCED),
  headerBytes: outside(NOT_ENFORCED),
})

export const pluginPolicySchema: v.GenericSchema<unknown, PluginPolicy> = v.object({
  apiVersion: v.literal('postern.dev/v1alpha1'),
  kind: v.literal('PluginPolicy'),
  metadata: metadataSchema,
  spec: v.object({
    targetRefs: described(
      v.pipe(
        v.array(
          v.pipe(
            v.object({
              group: choice(['extensions.istio.io', 'gateway.envoyproxy.io'], {
                about: doc('The group of the kind: the second is that of EnvoyExtensionPolicy.'),
              }),
              kind: choice(['WasmPlugin', 'TrafficExtension', 'EnvoyExtensionPolicy'], {
                about: doc('The kind in which the plugin is written.'),
              }),
              name: described(resourceName, {
                about: doc("The plugin, in the policy's namespace."),
              }),
              sectionName: v.exactOptional(
                described(v.string(), {
                  about: doc('The name of one entry of an EnvoyExtensionPolicy.'),
                  default: doc('all its entries'),
                }),
              ),
            }),
            v.check(
              ({ group, kind }) =>
                (group === 'gateway.envoyproxy.io') === (kind === 'EnvoyExtensionPolicy'),
              'expected the group extensions.istio.io, or gateway.envoyproxy.io for an EnvoyExtensionPolicy',
            ),
          ),
        ),
        v.minLength(1, 'expected at least one plugin'),
      ),
      { about: doc('The plugins the policy is for. A plugin has one policy at most.') },
    ),
    limits: v.exactOptional(limits),
    allowedCapabilities: v.exactOptional(
      described(v.array(v.string()), {
        about: doc('The host calls and callbacks the plugin may use, by their names in the ABI.'),
        default: doc('all'),
      }),
    ),
    upstreams: v.exactOptional(
      described(v.array(v.string()), {
        about: doc('The Upstreams the plugin may call, by name or alias.'),
        default: doc('all that are declared'),
      }),
    ),
    vmId: v.exactOptional(
      described(v.string(), {
        about: doc('The scope of shared data and queues: plugins with the same id see the same.'),
        default: doc('""'),
      }),
    ),
    shareVm: v.exactOptional(
      described(v.boolean(), {
        about: doc('Lets plugins of the same module, vm id and vm configuration share one vm.'),
        default: doc('false'),
      }),
    ),
    vmConfiguration: v.exactOptional(
      described(v.string(), { about: doc('Handed to the vm when it starts.'), default: doc('""') }),
    ),
    allowOnHeadersStopIteration: v.exactOptional(
      described(v.boolean(), {
        about: doc(
          'Lets a plugin that pauses in a header callback see the body before the headers go on.',
        ),
        default: doc('false'),
      }),
    ),
    singleton: v.exactOptional(
      described(v.boolean(), {
        about: doc(
          'Runs the plugin in one vm for the whole gateway, on ticks and queues alone: no request passes it.',
        ),
        default: doc('false'),
      }),
    ),
    mode: v.exactOptional(
      choice(MODES, {
        about: doc(
          '`log-only`: the plugin runs on every request, what it would have done is written to the decision log, and none of it is done: requests and responses go on as they came, also when the plugin fails.',
        ),
        default: doc('enforce'),
      }),
    ),
    logOnly: v.exactOptional(
      v.object({
        callouts: v.exactOptional(
          choice(LOG_ONLY_CALLOUTS, {
            about: doc(
              'What becomes of the HTTP and gRPC calls of a log-only plugin. `run`: they are made, and count for who is called. `block`: none leaves, and each fails for the plugin as an unreachable upstream would.',
            ),
            default: doc('run'),
          }),
        ),
      }),
    ),
    failOpenBudget: v.exactOptional(
      v.object({
        percent: described(percent, {
          about: doc(
            'The most requests of a minute that may pass the plugin by because it failed, in per cent of all that came to it in that minute. Beyond it `FAIL_OPEN` is `FAIL_CLOSE`.',
          ),
        }),
        minimum: v.exactOptional(
          described(whole(0, 1_000_000), {
            about: doc(
              'So many requests a minute may pass it by whatever the percentage: with little traffic, a percentage of it is less than one request.',
            ),
            default: doc('0'),
          }),
        ),
      }),
    ),
    decisionLog: v.exactOptional(
      described(
        v.object({
          sampling: v.exactOptional(
            described(percent, {
              about: doc('The share of requests whose decisions are written, in per cent.'),
              default: doc('100'),
            }),
          ),
          mask: v.exactOptional(
            described(v.array(fieldName), {
              about: doc(
                'Headers and query parameters whose values are never shown: in the decision log, which shows few values anyway (docs/OPERATIONS.md), and in explanations, where those that carry credentials never are.',
              ),
              default: doc('[]'),
            }),
          ),
        }),
        {
          about: doc("Writes one line of JSON for each of the plugin's decisions."),
          default: doc('off; on for a log-only plugin'),
        },
      ),
    ),
  }),
  status: ignored('a cluster writes it; there is none here'),
})
