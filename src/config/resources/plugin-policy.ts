/**
 * `postern.dev/v1alpha1 PluginPolicy`: what Postern adds to a WasmPlugin, in a kind of its own so
 * that one WasmPlugin file serves Istio and Postern alike.
 */
import * as v from 'valibot'
import type { PluginLimits } from '../../proxy-wasm/limits.ts'
import { DEFAULT_LIMITS } from '../../proxy-wasm/limits.ts'
import { choice, described, ignored, outside, resourceName, whole } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'

export interface PluginPolicy {
  readonly apiVersion: 'postern.dev/v1alpha1'
  readonly kind: 'PluginPolicy'
  readonly metadata: Metadata
  readonly spec: {
    readonly targetRefs: readonly {
      readonly group: 'extensions.istio.io'
      readonly kind: 'WasmPlugin'
      readonly name: string
    }[]
    readonly limits?: Partial<PluginLimits>
    readonly allowedCapabilities?: readonly string[]
    readonly upstreams?: readonly string[]
    readonly vmId?: string
    readonly shareVm?: boolean
    readonly vmConfiguration?: string
    readonly allowOnHeadersStopIteration?: boolean
    readonly singleton?: boolean
  }
}

const NOT_ENFORCED = 'it is not enforced yet, and a limit that is not must not look as if it were'

const limits = v.object({
  bodyBytes: v.exactOptional(
    described(whole(0, 2 ** 30), {
      about:
        'The most bytes of one body held for the plugin: beyond it 413 (request) or 500 (response).',
      default: `${DEFAULT_LIMITS.bodyBytes}`,
    }),
  ),
  calloutsPerRequest: v.exactOptional(
    described(whole(0, 10_000), {
      about: 'The most calls one request may start.',
      default: `${DEFAULT_LIMITS.calloutsPerRequest}`,
    }),
  ),
  pauseMs: v.exactOptional(
    described(whole(1, 3_600_000), {
      about: 'The longest a request may stay paused before `failStrategy` decides.',
      default: `${DEFAULT_LIMITS.pauseMs}`,
    }),
  ),
  memoryBytes: outside(NOT_ENFORCED),
  fuel: outside(NOT_ENFORCED),
  headerBytes: outside(NOT_ENFORCED),
  logLinesPerSecond: outside(NOT_ENFORCED),
})

export const pluginPolicySchema: v.GenericSchema<unknown, PluginPolicy> = v.object({
  apiVersion: v.literal('postern.dev/v1alpha1'),
  kind: v.literal('PluginPolicy'),
  metadata: metadataSchema,
  spec: v.object({
    targetRefs: described(
      v.pipe(
        v.array(
          v.object({
            group: choice(['extensions.istio.io'], { about: 'The group of WasmPlugin.' }),
            kind: choice(['WasmPlugin'], { about: 'The kind.' }),
            name: described(resourceName, { about: "The plugin, in the policy's namespace." }),
          }),
        ),
        v.minLength(1, 'expected at least one plugin'),
      ),
      { about: 'The plugins the policy is for. A plugin has one policy at most.' },
    ),
    limits: v.exactOptional(limits),
    allowedCapabilities: v.exactOptional(
      described(v.array(v.string()), {
        about: 'The host calls and callbacks the plugin may use, by their names in the ABI.',
        default: 'all',
      }),
    ),
    upstreams: v.exactOptional(
      described(v.array(v.string()), {
        about: 'The Upstreams the plugin may call, by name or alias.',
        default: 'all that are declared',
      }),
    ),
    vmId: v.exactOptional(
      described(v.string(), {
        about: 'The scope of shared data and queues: plugins with the same id see the same.',
        default: '""',
      }),
    ),
    shareVm: v.exactOptional(
      described(v.boolean(), {
        about: 'Lets plugins of the same module, vm id and vm configuration share one vm.',
        default: 'false',
      }),
    ),
    vmConfiguration: v.exactOptional(
      described(v.string(), { about: 'Handed to the vm when it starts.', default: '""' }),
    ),
    allowOnHeadersStopIteration: v.exactOptional(
      described(v.boolean(), {
        about:
          'Lets a plugin that pauses in a header callback see the body before the headers go on.',
        default: 'false',
      }),
    ),
    singleton: v.exactOptional(
      described(v.boolean(), {
        about:
          'Runs the plugin in one vm for the whole gateway, on ticks and queues alone: no request passes it.',
        default: 'false',
      }),
    ),
    mode: outside('plugins are enforced'),
  }),
  status: ignored('a cluster writes it; there is none here'),
})
