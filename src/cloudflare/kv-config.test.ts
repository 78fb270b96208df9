/** What KV is asked: single keys alone, and how old an answer may be. */
import { expect, it } from 'vitest'
import { kvConfigSource, kvPolicyStore } from './kv-config.ts'

/** A namespace that writes down what it is asked. */
function namespace(asked: unknown[][]): KVNamespace {
  const note =
    (name: string) =>
    (...args: unknown[]): Promise<null> => {
      asked.push([name, ...args])
      return Promise.resolve(null)
    }
  const methods = { get: note('get'), put: note('put'), delete: note('delete') }
  return methods as unknown as KVNamespace
}

it('reads one key at a time as text, and the pointer as fresh as KV allows', async () => {
  const asked: unknown[][] = []
  const source = kvConfigSource(namespace(asked))
  await source.get('active')
  await source.get('snapshot.00')
  expect(asked).toEqual([
    ['get', 'active', { type: 'text', cacheTtl: 30 }],
    ['get', 'snapshot.00', { type: 'text', cacheTtl: 300 }],
  ])
})

it('writes and deletes single keys', async () => {
  const asked: unknown[][] = []
  const store = kvPolicyStore(namespace(asked))
  await store.put('active', '{}')
  await store.delete('revision.1')
  expect(asked).toEqual([
    ['put', 'active', '{}'],
    ['delete', 'revision.1'],
  ])
})
