/** Pointers and snapshots damaged at random: what runs goes on, and what is signed means what was signed. */
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  double,
  integer,
  oneof,
  record,
  string,
} from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseTrustedKeys } from './signing/public-key.ts'
import type { SigningKey } from './signing/sign-pointer.ts'
import { newPrivateKey, readPrivateKey, signPointer } from './signing/sign-pointer.ts'
import { pointerTo, testGateway } from './testing/test-gateway.ts'

/** One damage: characters from `at` on give way to others. Places are parts of the whole. */
const damage = record({
  at: double({ min: 0, max: 1, noNaN: true }),
  length: integer({ min: 0, max: 20 }),
  put: oneof(
    string({ maxLength: 20 }),
    constantFrom('"', '}', '{', ',', '9', '0', '-', 'null', '\\u0000', '"revision":99,'),
  ),
})
const damages = array(damage, { minLength: 1, maxLength: 3 })
type Damages = readonly { readonly at: number; readonly length: number; readonly put: string }[]

function damaged(text: string, all: Damages): string {
  return all.reduce((now, { at, length, put }) => {
    const start = Math.floor(at * now.length)
    return now.slice(0, start) + put + now.slice(start + length)
  }, text)
}

const RUNS = { numRuns: 300 }

let key: SigningKey
beforeAll(async () => {
  key = await readPrivateKey(await newPrivateKey())
})

describe('damaged at random', () => {
  it('a pointer leaves what runs running, or is the next one', async () => {
    await assert(
      asyncProperty(damages, async (all) => {
        const node = testGateway()
        await node.publish('one', 5)
        await node.request()
        await node.publish('two', 6)
        const text = node.source.values.get('active') ?? ''
        node.source.values.set('active', damaged(text, all))
        node.clock.advance(31_000)
        await node.request()
        expect(['one', 'two']).toContain(await node.request())
      }),
      RUNS,
    )
  })

  it('a snapshot is the one that was named, or is refused', async () => {
    await assert(
      asyncProperty(damages, async (all) => {
        const node = testGateway()
        await node.publish('one', 5)
        await node.request()
        const hash = await node.publish('two', 6)
        const text = node.source.values.get(`snapshot.${hash}`) ?? ''
        const now = damaged(text, all)
        node.source.values.set(`snapshot.${hash}`, now)
        node.clock.advance(31_000)
        await node.request()
        expect(await node.request()).toBe(now === text ? 'two' : 'one')
      }),
      RUNS,
    )
  })

  it('a signed pointer means what was signed, or is refused', async () => {
    const { keys = new Map() } = parseTrustedKeys(key.publicKey)
    await assert(
      asyncProperty(damages, async (all) => {
        const node = testGateway({ trust: { keys } })
        const old = await node.publish('old')
        const pointer = await signPointer(pointerTo(6, await node.publish('two'), old), key)
        node.source.values.set('active', damaged(JSON.stringify(pointer), all))
        const runs = await node.request()
        expect([undefined, 'two']).toContain(runs)
        if (runs === 'two') expect(node.live.status().revision).toBe(6)
      }),
      RUNS,
    )
  })
})
