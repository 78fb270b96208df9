/** What an isolate knows of rollouts: by the key, by replies, and who waits for it. */
import { describe, expect, it } from 'vitest'
import type { ConfigClock } from '../config/clock.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { pluginVersion } from '../config/plugin-version.ts'
import type { RolloutsDocument } from '../rollout/record.ts'
import { snapshotRollout } from '../rollout/testing/rollouts.ts'
import { RolloutWeights } from './rollout-weights.ts'

const ROLLOUT = snapshotRollout()
const SNAPSHOT = { rollouts: [ROLLOUT] } as unknown as Snapshot
const REFRESH = 30_000
const MAX_STALE = 60_000

async function document(
  version: number,
  weight: number,
  publisher?: string,
): Promise<RolloutsDocument> {
  const candidate = await pluginVersion(ROLLOUT.candidate)
  const moves = [{ effectiveAt: 1, weight }]
  const state = { run: 1, candidate, phase: 'running', reason: '', moves } as const
  const named = publisher === undefined ? {} : { publisher }
  return { version, ...named, rollouts: { [ROLLOUT.id]: state }, kills: [] }
}

/** An isolate with a clock that is turned by hand: who waits is let go by turning it. */
function isolate(hasHub = false) {
  let now = 1_000_000
  const sleepers: { readonly until: number; readonly wake: () => void }[] = []
  const asleep = Promise.withResolvers<void>()
  const clock: ConfigClock = {
    now: () => now,
    sleep(ms) {
      asleep.resolve()
      return new Promise((wake) => void sleepers.push({ until: now + ms, wake }))
    },
  }
  const kv: { answer: () => Promise<string | null>; reads: number } = {
    answer: () => Promise.resolve(null),
    reads: 0,
  }
  const hub: { answer: () => Promise<unknown>; asked: number } = {
    answer: () => Promise.resolve(undefined),
    asked: 0,
  }
  const weights: RolloutWeights = new RolloutWeights({
    source: {
      get() {
        kv.reads += 1
        return kv.answer()
      },
    },
    clock,
    refreshMs: REFRESH,
    maxStaleMs: MAX_STALE,
    labels: {},
    hasHub,
    async ask() {
      hub.asked += 1
      const reply = await hub.answer().catch(() => null)
      if (reply !== undefined && reply !== null) weights.take(reply)
      return reply !== null
    },
  })
  const scope = { waitUntil: (promise: Promise<unknown>) => void promise }
  return {
    kv,
    hub,
    weights,
    follow: () => weights.follow(SNAPSHOT, scope),
    due: () => weights.due(scope),
    /** When the first one sleeps. */
    asleep: asleep.promise,
    turn(ms: number) {
      now += ms
      for (const { until, wake } of sleepers) if (until <= now) wake()
    },
    weight() {
      const state = weights.stateOf(ROLLOUT)
      return state === undefined ? 0 : weights.shareOf(ROLLOUT, state, 'enforce', now).weight
    },
  }
}

const never = (): Promise<never> => new Promise(() => undefined)
const shows = (found: RolloutsDocument) => () => Promise.resolve(JSON.stringify(found))
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

describe('what replies say', () => {
  it('counts like what the key says, and the newer of the two', async () => {
    const { weights, kv, follow, weight } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    expect(weight()).toBe(50)
    weights.take(await document(5, 0))
    expect([weight(), weights.version]).toEqual([0, 5])
    weights.take(await document(4, 80))
    expect([weight(), weights.version]).toEqual([0, 5])
  })

  it('is not taken back by a key that shows an older value', async () => {
    const { weights, kv, follow, due, turn, weight } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    weights.take(await document(5, 0))
    turn(REFRESH)
    expect(due()).toBeUndefined()
    await settled()
    expect([kv.reads, weight()]).toEqual([2, 0])
  })

  it.each([undefined, null, 'x', [], { version: 9 }, { version: '9', rollouts: {}, kills: [] }])(
    'changes nothing when it is %s',
    async (value) => {
      const { weights, kv, follow, weight } = isolate()
      kv.answer = shows(await document(3, 50))
      await follow()
      weights.take(value)
      expect([weight(), weights.version]).toEqual([50, 3])
    },
  )
})

describe('an isolate that starts', () => {
  it('asks for a reply where the store has no such key', async () => {
    const { hub, follow, weight } = isolate()
    hub.answer = () => document(3, 50)
    await follow()
    expect([hub.asked, weight()]).toEqual([1, 50])
  })

  it('asks nobody where it has', async () => {
    const { hub, kv, follow } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    expect(hub.asked).toBe(0)
  })

  it('waits a quarter of a second for it, no longer', async () => {
    const { kv, hub, follow, asleep, turn, weight } = isolate()
    kv.answer = never
    hub.answer = never
    let waits = true
    const following = follow().then(() => (waits = false))
    // digests are made first, which takes as long as it takes
    await asleep
    turn(249)
    await settled()
    expect(waits).toBe(true)
    turn(1)
    await following
    expect(weight()).toBe(0)
  })
})

describe('an isolate that nobody has asked for long', () => {
  it('looks in both places before it serves', async () => {
    const { kv, hub, follow, due, turn, weight } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    // KV still shows the old value
    hub.answer = () => document(4, 0)
    turn(MAX_STALE + 1)
    await due()
    expect([hub.asked, weight()]).toEqual([1, 0])
    expect(due()).toBeUndefined()
  })

  it('waits a quarter of a second, and takes in what comes later', async () => {
    const { kv, hub, follow, due, turn, weight } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    const late = Promise.withResolvers<unknown>()
    hub.answer = () => late.promise
    turn(MAX_STALE + 1)
    const waiting = due()
    await settled()
    turn(250)
    await waiting
    expect(weight()).toBe(50)
    late.resolve(await document(4, 0))
    await settled()
    expect(weight()).toBe(0)
  })

  it('makes no request wait again at once when nobody can be reached', async () => {
    const { kv, hub, follow, due, turn } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    kv.answer = () => Promise.reject(new Error('down'))
    hub.answer = () => Promise.reject(new Error('down'))
    turn(MAX_STALE + 1)
    await due()
    expect(due()).toBeUndefined()
  })

  it('that is asked all the time never waits', async () => {
    const { kv, hub, follow, due, turn } = isolate()
    kv.answer = shows(await document(3, 50))
    await follow()
    for (let minute = 0; minute < 10; minute += 0.5) {
      turn(REFRESH)
      expect(due()).toBeUndefined()
      await settled()
    }
    expect(hub.asked).toBe(0)
  })
})

describe('a node that has a hub, and a document of its own from before', () => {
  // an older Postern names nobody
  it.each([
    ['store', 'hub'],
    [undefined, 'hub'],
    ['store', undefined],
    [undefined, undefined],
  ])('by %s follows %s, though its number is lower', async (own, other) => {
    const { weights, kv, hub, follow, due, turn, weight } = isolate(true)
    kv.answer = shows(await document(17, 50, own))
    hub.answer = () => document(3, 5, other)
    await follow()
    expect([hub.asked, weight(), weights.version]).toEqual([1, 5, 3])
    const changes = weights.changes
    // the own store shows it again, and again
    turn(REFRESH)
    due()
    await settled()
    expect([kv.reads, weight(), weights.changes]).toEqual([2, 5, changes])
    weights.take(await document(4, 0, other))
    expect([weight(), weights.changes]).toEqual([0, changes + 1])
    // one that was under way for long
    weights.take(await document(3, 5, other))
    expect([weight(), weights.changes]).toEqual([0, changes + 1])
  })

  it('says of itself that it knows none, until a reply has told', async () => {
    const { weights, kv, hub, follow } = isolate(true)
    kv.answer = shows(await document(17, 50, 'store'))
    hub.answer = () => Promise.reject(new Error('down'))
    await follow()
    expect(weights.known).toEqual({ rolloutsVersion: 0 })
    weights.take(await document(3, 5, 'hub'))
    expect(weights.known).toEqual({ rolloutsVersion: 3, rolloutsPublisher: 'hub' })
  })

  it('goes on with its own while the hub says nothing', async () => {
    const { kv, hub, follow, weight } = isolate(true)
    kv.answer = shows(await document(17, 50, 'store'))
    hub.answer = () => Promise.resolve(undefined)
    await follow()
    expect(weight()).toBe(50)
  })

  it('takes what its store shows of the hub, when that is newer', async () => {
    const { weights, kv, hub, follow, due, turn, weight } = isolate(true)
    kv.answer = shows(await document(17, 50, 'store'))
    hub.answer = () => document(3, 5, 'hub')
    await follow()
    kv.answer = shows(await document(4, 25, 'hub'))
    turn(REFRESH)
    due()
    await settled()
    expect([weight(), weights.version]).toEqual([25, 4])
  })

  it('follows a hub that had to begin anew', async () => {
    const { weights, hub, follow, weight } = isolate(true)
    hub.answer = () => document(9, 50, 'hub')
    await follow()
    weights.take(await document(1, 0, 'hub again'))
    expect([weight(), weights.version]).toEqual([0, 1])
  })
})

it('without a hub a lower number counts for nobody, whoever wrote it', async () => {
  const { weights, kv, follow, weight } = isolate()
  kv.answer = shows(await document(17, 50, 'edge'))
  await follow()
  weights.take(await document(3, 5, 'another'))
  expect([weight(), weights.version]).toEqual([50, 17])
  expect(weights.known).toEqual({ rolloutsVersion: 17, rolloutsPublisher: 'edge' })
})
