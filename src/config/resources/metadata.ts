/**
 * `metadata`, the part every resource has: what identifies it, and the members a cluster adds when a
 * resource is read back from it, which are accepted and mean nothing here.
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { described, ignored, namespaceName, resourceName } from './fields.ts'

export interface Metadata {
  readonly name: string
  /** `default` when absent. */
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** RFC 3339; `kubectl` writes null for what a cluster has not taken yet. */
  readonly creationTimestamp?: string | null
}

export const DEFAULT_NAMESPACE = 'default'

/** Later than any time there is, where there is none; a number, so that the difference of two is one. */
const NEVER = Number.MAX_SAFE_INTEGER

/** When a cluster made a resource, in milliseconds; later than all others where none has. */
export function createdAt({ creationTimestamp }: Metadata): number {
  const time = Date.parse(creationTimestamp ?? '')
  return Number.isNaN(time) ? NEVER : time
}

const CLUSTER = 'a cluster writes it; there is none here'

export const metadataSchema: v.GenericSchema<unknown, Metadata> = v.object({
  name: described(resourceName, {
    about: doc('Names the resource within its kind and namespace.'),
  }),
  namespace: v.exactOptional(
    described(namespaceName, {
      about: doc('Groups resources. References without a namespace stay within it.'),
      default: DEFAULT_NAMESPACE,
    }),
  ),
  labels: v.exactOptional(
    described(v.record(v.string(), v.string()), {
      about: doc('Kept for people; nothing selects by it.'),
    }),
  ),
  annotations: v.exactOptional(
    described(v.record(v.string(), v.string()), { about: doc('Kept for people.') }),
  ),
  creationTimestamp: v.exactOptional(
    v.nullable(
      described(v.pipe(v.string(), v.isoTimestamp('expected an RFC 3339 time')), {
        about: doc(
          'When a cluster made it: of plugins that nothing else puts in order the older runs first, of routes the older wins.',
        ),
        default: doc('later than all others'),
      }),
    ),
  ),
  deletionTimestamp: ignored(CLUSTER),
  finalizers: ignored(CLUSTER),
  generation: ignored(CLUSTER),
  managedFields: ignored(CLUSTER),
  ownerReferences: ignored(CLUSTER),
  resourceVersion: ignored(CLUSTER),
  selfLink: ignored(CLUSTER),
  uid: ignored(CLUSTER),
})
