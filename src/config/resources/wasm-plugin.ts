/**
 * `extensions.istio.io/v1alpha1 WasmPlugin`: a configured use of a module. Istio's kind as it is;
 * what only a mesh can honour is refused by name, what pulls an image is accepted with a warning.
 * https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
 */
import * as v from 'valibot'
import { PHASES } from '../snapshot.ts'
import type { Phase } from '../snapshot.ts'
import { doc } from './doc.ts'
import { choice, ignored } from './fields.ts'
import { metadataSchema } from './metadata.ts'
import type { Metadata } from './metadata.ts'
import { attachmentFields, ONE_WAY, oneWayToSelect } from './plugin-attachment.ts'
import type { PluginAttachment } from './plugin-attachment.ts'
import { wasmFields } from './wasm-fields.ts'
import type { WasmFields } from './wasm-fields.ts'

export interface WasmPlugin {
  readonly apiVersion: 'extensions.istio.io/v1alpha1'
  readonly kind: 'WasmPlugin'
  readonly metadata: Metadata
  readonly spec: WasmFields &
    PluginAttachment & {
      readonly phase?: Phase
    }
}

export const wasmPluginSchema: v.GenericSchema<unknown, WasmPlugin> = v.object({
  apiVersion: v.literal('extensions.istio.io/v1alpha1'),
  kind: v.literal('WasmPlugin'),
  metadata: metadataSchema,
  spec: v.pipe(
    v.object({
      ...wasmFields,
      ...attachmentFields,
      phase: v.exactOptional(
        choice(PHASES, {
          about: doc('Where in the chain: AUTHN, then AUTHZ, then STATS, then UNSPECIFIED_PHASE.'),
          default: doc('UNSPECIFIED_PHASE'),
        }),
      ),
    }),
    v.check((spec) => oneWayToSelect(spec), ONE_WAY),
  ),
  status: ignored('a cluster writes it; there is none here'),
})
