/** Whose pointer is taken, and what is refused. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { ActivePointer, UnsignedPointer } from '../active-pointer.ts'
import { parseActivePointer } from '../active-pointer.ts'
import { sha } from '../testing/resources.ts'
import { parseTrustedKeys } from './public-key.ts'
import type { TrustedKeys } from './public-key.ts'
import { newPrivateKey, readPrivateKey, signPointer } from './sign-pointer.ts'
import type { SigningKey } from './sign-pointer.ts'
import { verifyPointer } from './verify-pointer.ts'

const POINTER: UnsignedPointer = {
  revision: 7,
  snapshot: sha('a'),
  previous: sha('b'),
  issuedAt: '2026-11-01T00:00:00.000Z',
}
const NOW = Date.parse('2026-11-02T00:00:00Z')

let ours: SigningKey
let next: SigningKey
let foreign: SigningKey
let trusted: TrustedKeys | undefined

beforeAll(async () => {
  ours = await readPrivateKey(await newPrivateKey())
  next = await readPrivateKey(await newPrivateKey())
  foreign = await readPrivateKey(await newPrivateKey())
  trusted = parseTrustedKeys(`${ours.publicKey}, ${next.publicKey}`).keys
})

const verdict = async (pointer: ActivePointer, now = NOW): Promise<string> =>
  (await verifyPointer(pointer, trusted, now))?.code ?? 'taken'

describe('a gateway that trusts keys', () => {
  it('takes what any of them signed, also after a store has rearranged it', async () => {
    for (const key of [ours, next]) {
      const signed = await signPointer({ ...POINTER, expiresAt: '2026-12-01T00:00:00Z' }, key)
      const entries = Object.entries(signed).toReversed()
      const stored = parseActivePointer(JSON.stringify(Object.fromEntries(entries), null, 2))
      expect(stored).toEqual({ pointer: signed })
      expect('pointer' in stored && (await verdict(stored.pointer))).toBe('taken')
    }
  })

  it('refuses a pointer without a signature, and one of another key', async () => {
    expect(await verdict(POINTER)).toBe('config.signature_missing')
    const signed = await signPointer(POINTER, foreign)
    expect(await verdict(signed)).toBe('config.signature_key_unknown')
    const value = signed.signature?.value ?? ''
    const passedOff = { ...signed, signature: { keyId: ours.keyId, value } }
    expect(await verdict(passedOff)).toBe('config.signature_invalid')
  })

  it.each([
    ['revision', { revision: 8 }],
    ['snapshot', { snapshot: sha('c') }],
    ['previous', { previous: null }],
    ['issuedAt', { issuedAt: '2026-11-01T00:00:00.001Z' }],
    ['expiresAt, added', { expiresAt: '2027-11-01T00:00:00Z' }],
  ])('refuses one that was signed with another %s', async (_what, change) => {
    const signed = await signPointer(POINTER, ours)
    expect(await verdict({ ...signed, ...change })).toBe('config.signature_invalid')
  })

  it('refuses one whose expiry was taken away', async () => {
    const { expiresAt: _gone, ...rest } = await signPointer(
      { ...POINTER, expiresAt: '2026-11-01T12:00:00Z' },
      ours,
    )
    expect(await verdict(rest)).toBe('config.signature_invalid')
  })

  it('takes one until it expires', async () => {
    const signed = await signPointer({ ...POINTER, expiresAt: '2026-11-02T00:00:00Z' }, ours)
    expect([await verdict(signed, NOW - 1), await verdict(signed, NOW)]).toEqual([
      'taken',
      'config.signature_expired',
    ])
  })
})

it('checks nothing where no keys are configured', async () => {
  expect(await verifyPointer(POINTER, parseTrustedKeys('').keys, NOW)).toBeUndefined()
  expect(await verifyPointer(POINTER, parseTrustedKeys(undefined).keys, NOW)).toBeUndefined()
})

describe('TRUSTED_KEYS', () => {
  it('separates keys with what people write between them', () => {
    const { keys, wrong } = parseTrustedKeys(` ${ours.publicKey},\n${next.publicKey}\t`)
    expect([[...(keys?.keys() ?? [])], wrong]).toEqual([[ours.keyId, next.keyId], []])
  })

  it('trusts nobody, rather than everybody, when no entry can be read, and repeats none', async () => {
    const { keys, wrong } = parseTrustedKeys('ed25519:short, s3cret')
    expect(wrong).toEqual([
      'entry 1 is no ed25519:… public key',
      'entry 2 is no ed25519:… public key',
    ])
    expect((await verifyPointer(POINTER, keys, NOW))?.code).toBe('config.signature_missing')
    const signed = await signPointer(POINTER, ours)
    expect((await verifyPointer(signed, keys, NOW))?.code).toBe('config.signature_key_unknown')
  })
})

describe('the file of a private key', () => {
  it.each(['', '{}', 'ed25519:abc', '[]'])('is not %j', async (text) => {
    await expect(readPrivateKey(text)).rejects.toThrow('postern keys new')
  })

  it('does not pass for another key', async () => {
    const mine = JSON.parse(await newPrivateKey()) as object
    const other = JSON.parse(await newPrivateKey()) as { x: string }
    const mixed = JSON.stringify({ ...mine, x: other.x })
    await expect(readPrivateKey(mixed)).rejects.toThrow('do not belong together')
  })
})

it.each([
  ['a signature of another form', { signature: 'abc' }],
  ['an expiry that is no time', { expiresAt: 'soon' }],
  ['a member nobody signed', { note: 'x' }],
])('a pointer with %s is no pointer', (_what, more) => {
  expect(parseActivePointer(JSON.stringify({ ...POINTER, ...more }))).toHaveProperty('wrong')
})
