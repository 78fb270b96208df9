/** The high-water mark of signed pointers, over time. */
import { describe, expect, it } from 'vitest'
import type { ActivePointer } from '../active-pointer.ts'
import { sha } from '../testing/resources.ts'
import type { Accepted } from './accepted-pointers.ts'
import { AcceptedPointers, SETTLED_MS } from './accepted-pointers.ts'
import { parseTrustedKeys } from './public-key.ts'
import { newPrivateKey, readPrivateKey, signPointer } from './sign-pointer.ts'

/** A place that remembers, and a clock that tests move. */
async function guard() {
  const key = await readPrivateKey(await newPrivateKey())
  let state: readonly Accepted[] | undefined
  const start = (): AcceptedPointers =>
    new AcceptedPointers({
      trusted: parseTrustedKeys(key.publicKey).keys,
      state: {
        load: () => Promise.resolve(state),
        save: (next) => {
          state = next
          here.saves += 1
          return Promise.resolve()
        },
      },
      now: () => here.now,
    })
  const here = {
    start,
    now: Date.parse('2026-11-01T00:00:00Z'),
    saves: 0,
    key,
    /** Asks a fresh object each time, as after an eviction. */
    async admit(pointer: ActivePointer): Promise<string> {
      return (await start().admit(pointer))?.code ?? 'taken'
    },
    signed: (revision: number, snapshot: string, expiresAt?: string): Promise<ActivePointer> => {
      const issuedAt = '2026-11-01T00:00:00Z'
      const pointer = { revision, snapshot, previous: null, issuedAt }
      return signPointer(expiresAt === undefined ? pointer : { ...pointer, expiresAt }, key)
    },
  }
  return here
}

describe('signed pointers', () => {
  it('are taken in turn, and remembered once each', async () => {
    const here = await guard()
    for (const revision of [1, 2, 2, 3, 3]) {
      expect(await here.admit(await here.signed(revision, sha('a')))).toBe('taken')
    }
    expect(here.saves).toBe(3)
  })

  it('are refused when they are older than one that has settled', async () => {
    const here = await guard()
    const first = await here.signed(1, sha('a'))
    await here.admit(first)
    await here.admit(await here.signed(2, sha('b')))
    here.now += SETTLED_MS
    expect(await here.admit(first)).toBe('config.revision_older')
    expect(await here.admit(await here.signed(2, sha('b')))).toBe('taken')
  })

  it('are taken a while longer where the store shows a change late', async () => {
    const here = await guard()
    const first = await here.signed(1, sha('a'))
    await here.admit(first)
    await here.admit(await here.signed(2, sha('b')))
    here.now += SETTLED_MS - 1
    expect(await here.admit(first)).toBe('taken')
  })

  it('raise the mark also when one follows another quickly', async () => {
    const here = await guard()
    const first = await here.signed(1, sha('a'))
    await here.admit(first)
    for (let revision = 2; revision < 20; revision += 1) {
      here.now += SETTLED_MS / 4
      await here.admit(await here.signed(revision, sha('b')))
    }
    expect(await here.admit(first)).toBe('config.revision_older')
  })

  it('may be started again after they have expired, but not come in then', async () => {
    const here = await guard()
    const running = await here.signed(1, sha('a'), '2026-11-01T01:00:00Z')
    const late = await here.signed(2, sha('b'), '2026-11-01T01:00:00Z')
    expect(await here.admit(running)).toBe('taken')
    here.now = Date.parse('2026-11-01T02:00:00Z')
    expect(await here.admit(running)).toBe('taken')
    expect(await here.admit(late)).toBe('config.signature_expired')
  })

  it('are all remembered when many gateways ask at once', async () => {
    const here = await guard()
    const pointers = await Promise.all(
      [1, 2, 3, 4].map((revision) => here.signed(revision, sha('a'))),
    )
    const accepted = here.start()
    await Promise.all(pointers.map((pointer) => accepted.admit(pointer)))
    // whoever was forgotten would be saved again
    for (const pointer of pointers) expect(await here.admit(pointer)).toBe('taken')
    expect(here.saves).toBe(4)
  })

  it('name one snapshot for a revision', async () => {
    const here = await guard()
    await here.admit(await here.signed(1, sha('a')))
    expect(await here.admit(await here.signed(1, sha('b')))).toBe('config.revision_reused')
  })

  it('that are none leave the mark where it is', async () => {
    const here = await guard()
    const { signature: _none, ...unsigned } = await here.signed(1_000, sha('a'))
    expect(await here.admit(unsigned)).toBe('config.signature_missing')
    here.now += SETTLED_MS
    expect(await here.admit(await here.signed(1, sha('a')))).toBe('taken')
  })
})
