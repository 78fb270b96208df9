/**
 * The configuration's store over a KV namespace: single-key reads, and for the policy object writes.
 * The keys are flat and the values text, so that a KV on a local folder serves as well.
 */
import type { PolicyStore } from '../config/apply/policy-writer.ts'
import type { ConfigSource } from '../config/source.ts'

/** The least KV takes; how long a location may show an old pointer is at least this. */
const POINTER_TTL_SECONDS = 30
/**
 * For keys whose value never changes. Not longer, because KV remembers that a key is missing for as
 * long: a location that saw a pointer before its snapshot would wait this long for the snapshot.
 */
const IMMUTABLE_TTL_SECONDS = 300

/** Reads configuration from KV. */
export function kvConfigSource(kv: KVNamespace): ConfigSource {
  return {
    get: (key) =>
      kv.get(key, {
        type: 'text',
        cacheTtl:
          key === 'active' || key === 'rollouts' ? POINTER_TTL_SECONDS : IMMUTABLE_TTL_SECONDS,
      }),
  }
}

/** Reads and writes configuration in KV. */
export function kvPolicyStore(kv: KVNamespace): PolicyStore {
  return {
    ...kvConfigSource(kv),
    put: (key, text) => kv.put(key, text),
    delete: (key) => kv.delete(key),
  }
}
