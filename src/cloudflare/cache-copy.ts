/**
 * The copy of what was activated last, in the Cache API: near where isolates run, and there while KV is
 * not. Where there is no cache (`workerd serve` without one) nothing is kept, and nothing else differs.
 */
import type { CopyStore } from '../config/snapshot-copy.ts'

/** Or until the platform wants the room. The first isolate that starts after that puts it there again. */
const KEEP_SECONDS = 30 * 24 * 60 * 60

/**
 * @param deployment tells this gateway from others that share the cache: they have other stores
 * @returns undefined where the platform has no cache
 */
export function cacheCopy(deployment: string): CopyStore | undefined {
  const cache = typeof caches === 'undefined' ? undefined : caches.default
  if (cache === undefined) return undefined
  // a name that no upstream can have, so that nothing fetched is ever taken for it
  const key = `https://postern.invalid/${deployment}/last-good`
  return {
    load: async () => (await cache.match(key))?.text(),
    save: (text) =>
      cache.put(
        key,
        new Response(text, { headers: { 'cache-control': `public, max-age=${KEEP_SECONDS}` } }),
      ),
  }
}
