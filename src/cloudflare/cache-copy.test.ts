/** The copy in the Cache API: what the cache is asked and given, and what there is without one. */
import { afterEach, expect, it, vi } from 'vitest'
import { cacheCopy } from './cache-copy.ts'

afterEach(() => vi.unstubAllGlobals())

/** A cache that keeps responses by their url, as text. */
function fakeCache(kept: Map<string, Response>): object {
  return {
    default: {
      match: (url: string) => Promise.resolve(kept.get(url)?.clone()),
      put: (url: string, response: Response) => Promise.resolve(void kept.set(url, response)),
    },
  }
}

it('is kept for a deployment, and not found by another one', async () => {
  const kept = new Map<string, Response>()
  vi.stubGlobal('caches', fakeCache(kept))
  const copy = cacheCopy('one')
  expect(await copy?.load()).toBeUndefined()
  await copy?.save('pointer\nsnapshot')
  expect(await copy?.load()).toBe('pointer\nsnapshot')
  expect(await cacheCopy('other')?.load()).toBeUndefined()
})

it('may be cached, under a name that no upstream can have', async () => {
  const kept = new Map<string, Response>()
  vi.stubGlobal('caches', fakeCache(kept))
  await cacheCopy('one')?.save('x')
  const [[url, response] = []] = [...kept]
  expect(url).toBe('https://postern.invalid/one/last-good')
  expect(response?.headers.get('cache-control')).toBe('public, max-age=2592000')
})

it('is not there where there is no cache', () => {
  vi.stubGlobal('caches', undefined)
  expect(cacheCopy('one')).toBeUndefined()
})
