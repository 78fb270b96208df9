/**
 * `extensions.istio.io/v1alpha1 TrafficExtension`: what Istio has in place of WasmPlugin since 1.30.
 * Read for its member `wasm`, which is the same plugin written otherwise; `lua` is refused by name.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/
 */
import * as v from 'valibot'
import { PHASES } from '../snapshot.ts'
import { doc } from './doc.ts'
import { choice, ignored, outside } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'
import { attachmentFields, ONE_WAY, oneWayToSelect } from './plugin-attachment.ts'
import type { PluginAttachment } from './plugin-attachment.ts'
import { wasmFields } from './wasm-fields.ts'
import type { WasmFields } from './wasm-fields.ts'

/** The words of the reference page, those of the API's enum, and WasmPlugin's word for none. */
const EXTENSION_PHASES = [
  'AUTHN',
  'AUTHZ',
  'STATS',
  'UNSPECIFIED',
  'UNSPECIFIED_PHASE',
  'EXECUTION_PHASE_AUTHN',
  'EXECUTION_PHASE_AUTHZ',
  'EXECUTION_PHASE_STATS',
  'EXECUTION_PHASE_UNSPECIFIED',
] as const

export interface TrafficExtension {
  readonly apiVersion: 'extensions.istio.io/v1alpha1'
  readonly kind: 'TrafficExtension'
  readonly metadata: Metadata
  readonly spec: PluginAttachment & {
    readonly phase?: (typeof EXTENSION_PHASES)[number]
    readonly wasm: WasmFields
  }
}

/** @returns the phase in WasmPlugin's words */
export function extensionPhase(phase: TrafficExtension['spec']['phase']): (typeof PHASES)[number] {
  const word = phase?.replace('EXECUTION_PHASE_', '')
  return PHASES.find((known) => known === word) ?? 'UNSPECIFIED_PHASE'
}

export const trafficExtensionSchema: v.GenericSchema<unknown, TrafficExtension> = v.object({
  apiVersion: v.literal('extensions.istio.io/v1alpha1'),
  kind: v.literal('TrafficExtension'),
  metadata: metadataSchema,
  spec: v.pipe(
    v.object({
      ...attachmentFields,
      phase: v.exactOptional(
        choice(EXTENSION_PHASES, {
          about: doc('Where in the chain: AUTHN, then AUTHZ, then STATS, then the unspecified.'),
          default: doc('UNSPECIFIED'),
        }),
      ),
      wasm: v.object(wasmFields),
      lua: outside('write the filter as a Wasm module'),
    }),
    v.check((spec) => oneWayToSelect(spec), ONE_WAY),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
