/** The copy of what was activated last, and where it stands among what a cold isolate tries. */
import { describe, expect, it } from 'vitest'
import { nameSnapshot } from './compile.ts'
import type { LiveConfigOptions } from './live-config.ts'
import { parseTrustedKeys } from './signing/public-key.ts'
import { newPrivateKey, readPrivateKey, signPointer } from './signing/sign-pointer.ts'
import type { CopyStore } from './snapshot-copy.ts'
import { pointerTo, snapshotOf, testGateway } from './testing/test-gateway.ts'
import type { TestGateway } from './testing/test-gateway.ts'

class Shelf implements CopyStore {
  kept: string | undefined
  saves = 0

  load(): Promise<string | undefined> {
    return Promise.resolve(this.kept)
  }

  save(text: string): Promise<void> {
    this.saves += 1
    this.kept = text
    return Promise.resolve()
  }
}

/** A gateway that has activated one revision, and the copy it left. */
async function copied(upstream: string, revision: number): Promise<Shelf> {
  const copy = new Shelf()
  const node = testGateway({ copy })
  await node.publish(upstream, revision)
  await node.request()
  return copy
}

function cold(options: Partial<LiveConfigOptions<string>>): TestGateway {
  const node = testGateway(options)
  node.source.failure = new Error('KV is down')
  return node
}

describe('a copy', () => {
  it('runs in an isolate that starts while the store is down, under its own revision', async () => {
    const node = cold({ copy: await copied('one', 7) })
    expect(await node.request()).toBe('one')
    expect(node.live.status()).toMatchObject({ revision: 7, origin: 'copy' })
    expect(node.codes()).toEqual(['config.source_unavailable'])
  })

  it('is the active one when the store is back and says the same', async () => {
    const node = cold({ copy: await copied('one', 7) })
    await node.request()
    node.source.failure = undefined
    await node.publish('one', 7)
    node.clock.advance(2_000)
    await node.request()
    expect(node.live.status()).toMatchObject({ revision: 7, origin: 'active' })
    expect(node.activated).toEqual(['one'])
  })

  it('gives way to a later revision, not to an earlier one', async () => {
    const node = cold({ copy: await copied('seven', 7) })
    await node.request()
    node.source.failure = undefined
    await node.publish('six', 6)
    node.clock.advance(2_000)
    await node.request()
    expect(await node.request()).toBe('seven')
    expect(node.codes()).toContain('config.revision_older')
    await node.publish('eight', 8)
    node.clock.advance(31_000)
    await node.request()
    expect(await node.request()).toBe('eight')
  })

  it('comes after the snapshot before, and before the baseline', async () => {
    const baseline = await nameSnapshot(snapshotOf('baseline'))
    const copy = await copied('copy', 7)
    const node = testGateway({ copy, baseline })
    const old = await node.publish('old')
    node.point(pointerTo(8, 'f'.repeat(64), old))
    expect(await node.request()).toBe('old')
    const without = testGateway({ copy, baseline })
    without.point(pointerTo(8, 'f'.repeat(64), old))
    expect(await without.request()).toBe('copy')
    expect(await cold({ baseline, copy: new Shelf() }).request()).toBe('baseline')
  })

  it.each([
    ['is cut off', (text: string) => text.slice(0, -5), 'config.snapshot_hash'],
    [
      'was changed',
      (text: string) => text.replace('origin.test', 'evil.test'),
      'config.snapshot_hash',
    ],
  ])('is refused when it %s', async (_what, spoil, code) => {
    const copy = await copied('one', 7)
    copy.kept = spoil(copy.kept ?? '')
    const node = cold({ copy })
    expect(await node.request()).toBeUndefined()
    expect(node.codes()).toContain(code)
  })

  it.each(['', '\n', 'x\ny', '{}\n{}'])('that is none (%j) is as good as none', async (kept) => {
    const copy = new Shelf()
    copy.kept = kept
    expect(await cold({ copy }).request()).toBeUndefined()
  })

  it('must be signed where keys are trusted; that it has expired does not matter', async () => {
    const key = await readPrivateKey(await newPrivateKey())
    const { keys = new Map() } = parseTrustedKeys(key.publicKey)
    const forged = cold({ copy: await copied('one', 7), trust: { keys } })
    expect(await forged.request()).toBeUndefined()
    expect(forged.codes()).toContain('config.signature_missing')

    const { hash, text } = await nameSnapshot(snapshotOf('one'))
    const unsigned = { ...pointerTo(7, hash), expiresAt: '2026-10-01T00:00:00.000Z' }
    const copy = new Shelf()
    copy.kept = `${JSON.stringify(await signPointer(unsigned, key))}\n${text}`
    expect(await cold({ copy, trust: { keys } }).request()).toBe('one')
  })
})

describe('a store that is slow', () => {
  it('is waited for for a second, then the copy runs until it has answered', async () => {
    const node = testGateway({ copy: await copied('seven', 7) })
    await node.publish('eight', 8)
    node.source.delayMs = 1_400
    const before = node.clock.now()
    const requests = [node.live.current(node.scope), node.live.current(node.scope)]
    const first = await node.clock.until(Promise.all(requests), 2_000)
    expect(first.map((config) => config?.running)).toEqual(['seven', 'seven'])
    expect(node.clock.now() - before).toBeLessThan(1_100)
    expect(node.live.status()).toMatchObject({ origin: 'copy', revision: 7 })
    await node.clock.until(node.request(), 3_000)
    expect(node.live.status()).toMatchObject({ origin: 'active', revision: 8 })
  })

  it('is not waited for less when there is nothing else', async () => {
    const node = testGateway({ copy: new Shelf() })
    await node.publish('one', 1)
    node.source.delayMs = 1_400
    const config = Promise.resolve(node.live.current(node.scope))
    expect((await node.clock.until(config, 4_000))?.running).toBe('one')
  })

  it('does not take back what the copy is ahead of', async () => {
    const node = testGateway({ copy: await copied('seven', 7) })
    await node.publish('six', 6)
    node.source.delayMs = 1_400
    await node.clock.until(node.request(), 4_000)
    expect(node.live.status()).toMatchObject({ origin: 'copy', revision: 7 })
    expect(node.codes()).toEqual(['config.revision_older'])
  })

  it('and the baseline are brought up one after the other', async () => {
    const baseline = await nameSnapshot(snapshotOf('baseline'))
    let underWay = 0
    const activated: string[] = []
    const node: TestGateway = testGateway({
      baseline,
      activate: async (snapshot) => {
        underWay += 1
        expect(underWay).toBe(1)
        await node.clock.sleep(500)
        underWay -= 1
        const [running = ''] = Object.keys(snapshot.upstreams)
        activated.push(running)
        return { running, plugins: [] }
      },
    })
    await node.publish('one', 1)
    node.source.delayMs = 600
    await node.clock.until(node.request(), 5_000)
    expect(activated).toEqual(['baseline', 'one'])
    expect(node.live.status()).toMatchObject({ origin: 'active', revision: 1 })
  })
})

describe('keeping it', () => {
  it('is done once for each revision', async () => {
    const copy = new Shelf()
    const node = testGateway({ copy })
    await node.publish('one', 1)
    for (let i = 0; i < 4; i += 1) {
      await node.request()
      node.clock.advance(31_000)
    }
    await node.publish('two', 2)
    await node.request()
    await node.request()
    expect(copy.saves).toBe(2)
    expect(copy.kept).toContain('"revision":2')
  })

  it('leaves a later one of another isolate alone', async () => {
    const copy = await copied('nine', 9)
    const node = testGateway({ copy })
    await node.publish('eight', 8)
    expect(await node.request()).toBe('eight')
    expect(copy.kept).toContain('"revision":9')
  })

  it('goes with the pointer when the snapshot stays', async () => {
    const copy = new Shelf()
    const node = testGateway({ copy })
    const hash = await node.publish('one', 1)
    await node.request()
    node.point(pointerTo(2, hash))
    node.clock.advance(31_000)
    await node.request()
    expect(copy.kept).toContain('"revision":2')
    expect(await cold({ copy }).request()).toBe('one')
  })

  it('takes the place of a revision that was rolled back, also where that never ran', async () => {
    const copy = new Shelf()
    const node = testGateway({ copy })
    const hash = await node.publish('one', 1)
    await node.request()
    copy.kept = (await copied('two', 2)).kept
    node.point(pointerTo(3, hash))
    node.clock.advance(31_000)
    await node.request()
    expect(await cold({ copy }).request()).toBe('one')
  })

  it('may fail', async () => {
    const copy: CopyStore = {
      load: () => Promise.reject(new Error('No Cache was configured')),
      save: () => Promise.reject(new Error('No Cache was configured')),
    }
    const node = testGateway({ copy })
    await node.publish('one', 1)
    expect(await node.request()).toBe('one')
    expect(node.codes()).toEqual([])
    const other = cold({ copy, baseline: await nameSnapshot(snapshotOf('baseline')) })
    expect(await other.request()).toBe('baseline')
  })
})
