/** What an isolate knows of rollouts: by the key, by replies, and who waits for it. */
import { describe, expect, it } from 'vitest'
import type { ConfigClock } from '../config/clock.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { candidateDigest } from '../rollout/candidate-digest.ts'
import type { RolloutsDocument } from '../rollout/record.ts'
import { snapshotRollout } from '../rollout/testing/rollouts.ts'
import { RolloutWeights } from './rollout-weights.ts'

const ROLLOUT = snapshotRollout()
const SNAPSHOT = { rollouts: [ROLLOUT] } as unknown as Snapshot
const REFRESH = 30_000
const MAX_STALE = 60_000

async function document(version: number, weight: number): Promise<RolloutsDocument> {
  const candidate = await candidateDigest(ROLLOUT.candidate)
  const moves = [{ effectiveAt: 1, weight }]
  const state = { run: 1, candidate, phase: 'running', reason: '', moves } as const
  return { version, rollouts: { [ROLLOUT.id]: state }, kills: [] }
}

/** An isolate with a clock that is turned by hand: who waits is let go by turning it. */
function isolate() {
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
