/** LiveConfig where keys are trusted: what may come in, what goes on, and what is found out late. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { ActivePointer } from './active-pointer.ts'
import type { LiveConfigOptions } from './live-config.ts'
import type { Admission } from './pointer-gate.ts'
import type { TrustedKeys } from './signing/public-key.ts'
import { parseTrustedKeys } from './signing/public-key.ts'
import type { SigningKey } from './signing/sign-pointer.ts'
import { newPrivateKey, readPrivateKey, signPointer } from './signing/sign-pointer.ts'
import { pointerTo, testGateway } from './testing/test-gateway.ts'
import type { TestGateway } from './testing/test-gateway.ts'

let key: SigningKey
let other: SigningKey
let keys: TrustedKeys
beforeAll(async () => {
  key = await readPrivateKey(await newPrivateKey())
  other = await readPrivateKey(await newPrivateKey())
  keys = parseTrustedKeys(key.publicKey).keys ?? new Map()
})

interface Signed extends TestGateway {
  /** Stores a snapshot and points at it with a signature. @returns the pointer */
  publishSigned(upstream: string, pointer: Partial<ActivePointer>): Promise<ActivePointer>
}

function signed(
  admit?: (pointer: ActivePointer) => Promise<Admission>,
  options: Partial<LiveConfigOptions<string>> = {},
): Signed {
  const node = testGateway({ trust: { keys, admit }, ...options })
  return {
    ...node,
    async publishSigned(upstream, fields) {
      const unsigned = { ...pointerTo(1, await node.publish(upstream)), ...fields }
      const pointer = await signPointer(unsigned, key)
      node.point(pointer)
      return pointer
    },
  }
}

const PAST = '2026-10-01T00:00:00.000Z'

describe('a signed pointer', () => {
  it('is taken', async () => {
    const node = signed()
    await node.publishSigned('one', { revision: 1 })
    expect(await node.request()).toBe('one')
    expect(node.live.status()).toMatchObject({ revision: 1, origin: 'active', refusals: [] })
  })

  it.each([
    [
      'no signature',
      'config.signature_missing',
      (one: ActivePointer) => pointerTo(2, one.snapshot),
    ],
    [
      'a member that was changed',
      'config.signature_invalid',
      (one: ActivePointer) => ({ ...one, revision: 3 }),
    ],
    [
      'the signature of a key nobody trusts',
      'config.signature_key_unknown',
      (one: ActivePointer) => signPointer(pointerTo(2, one.snapshot), other),
    ],
  ])('with %s is refused, and what runs goes on', async (_what, code, forge) => {
    const node = signed()
    await node.publishSigned('one', { revision: 1 })
    await node.request()
    node.point(await forge(await node.publishSigned('two', { revision: 2 })))
    node.clock.advance(31_000)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual([code])
  })

  it('is refused cold as well, whatever its snapshot is', async () => {
    const node = signed()
    await node.publish('one', 1)
    expect(await node.request()).toBeUndefined()
    expect(node.codes()).toEqual(['config.signature_missing'])
    expect(node.source.reads).toEqual(['active'])
  })
})

describe('a pointer that has expired', () => {
  it('goes on where it runs', async () => {
    const node = signed()
    await node.publishSigned('one', { revision: 1, expiresAt: '2026-11-01T00:00:10.000Z' })
    await node.request()
    node.clock.advance(120_000)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual([])
  })

  it('is not taken', async () => {
    const node = signed()
    await node.publishSigned('one', { revision: 1, expiresAt: PAST })
    expect(await node.request()).toBeUndefined()
    expect(node.codes()).toEqual(['config.signature_expired'])
  })

  it('is taken by an isolate that starts, where it was accepted before', async () => {
    const node = signed(() => Promise.resolve({}))
    await node.publishSigned('one', { revision: 1, expiresAt: PAST })
    expect(await node.request()).toBe('one')
  })
})

describe('a pointer that is older than one that was accepted elsewhere', () => {
  const older: Admission = {
    refusal: { code: 'config.revision_older', message: 'revision 2 is older than 5' },
  }

  it('is refused by an isolate that starts, when that is known in time', async () => {
    const node = signed(() => Promise.resolve(older))
    await node.publishSigned('old', { revision: 2 })
    node.source.delayMs = 10
    const config = Promise.resolve(node.live.current(node.scope))
    expect(await node.clock.until(config, 1_000)).toBeUndefined()
    expect(node.activated).toEqual([])
    expect(node.codes()).toEqual(['config.revision_older'])
  })

  it('gives way to what was published last', async () => {
    const node = signed((pointer) => Promise.resolve({ ...older, current: pointer && current }))
    const current = await node.publishSigned('new', { revision: 5 })
    await node.publishSigned('old', { revision: 2 })
    expect(await node.request()).toBe('new')
    expect(node.live.status()).toMatchObject({ revision: 5, origin: 'active' })
  })

  it('gives way to it also when the answer comes late, and no request waits for that', async () => {
    let answer: (admission: Admission) => void = () => undefined
    const node = signed(() => new Promise((resolve) => (answer = resolve)))
    const current = await node.publishSigned('new', { revision: 5 })
    await node.publishSigned('old', { revision: 2 })
    const before = node.clock.now()
    expect((await node.live.current(node.scope))?.running).toBe('old')
    expect(node.clock.now()).toBe(before)
    answer({ ...older, current })
    await node.request()
    expect(await node.request()).toBe('new')
    expect(node.codes()).toEqual(['config.revision_older'])
  })

  it('does not give way to one that nobody signed', async () => {
    const current = pointerTo(9, 'f'.repeat(64))
    const node = signed(() => Promise.resolve({ ...older, current }))
    await node.publishSigned('old', { revision: 2 })
    node.source.delayMs = 10
    await node.clock.until(Promise.resolve(node.live.current(node.scope)), 1_000)
    expect(node.live.status()).toMatchObject({ origin: 'none' })
  })

  it('is refused where something runs, before it is started', async () => {
    const node = signed(({ revision }) => Promise.resolve(revision === 2 ? older : {}))
    await node.publishSigned('one', { revision: 1 })
    await node.request()
    await node.publishSigned('two', { revision: 2 })
    node.clock.advance(31_000)
    await node.request()
    expect(await node.request()).toBe('one')
    expect(node.activated).toEqual(['one'])
  })
})

describe('whoever remembers', () => {
  it('is not missed: what is signed is taken', async () => {
    const node = signed(() => Promise.reject(new Error('no object')))
    await node.publishSigned('one', { revision: 1 })
    expect(await node.request()).toBe('one')
    await node.publishSigned('two', { revision: 2 })
    node.clock.advance(31_000)
    await node.request()
    expect(await node.request()).toBe('two')
    expect(node.codes()).toEqual([])
  })

  it('is asked once for each pointer that is taken', async () => {
    const asked: number[] = []
    const node = signed(({ revision }) => {
      asked.push(revision)
      return Promise.resolve({})
    })
    await node.publishSigned('one', { revision: 1 })
    await node.request()
    for (let i = 0; i < 3; i += 1) {
      node.clock.advance(31_000)
      await node.request()
    }
    expect(asked).toEqual([1])
  })
})
