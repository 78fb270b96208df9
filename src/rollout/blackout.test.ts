import { describe, expect, it } from 'vitest'
import type { SnapshotBlackout } from '../config/snapshot-rollout.ts'
import { blackoutBegan } from './blackout.ts'
import { shareAt } from './share.ts'

const at = (text: string): number => Date.parse(text)

function began(
  windows: readonly SnapshotBlackout[],
  now: string,
  zone = 'UTC',
): string | undefined {
  const since = blackoutBegan(windows, zone, at(now))
  return since === undefined ? undefined : new Date(since).toISOString()
}

const NIGHT = { from: 22 * 60, to: 6 * 60 }
const DAYTIME = { from: 9 * 60, to: 17 * 60 }

describe('a blackout', () => {
  it('is from its beginning to just before its end', () => {
    expect(began([DAYTIME], '2026-03-04T08:59:59Z')).toBeUndefined()
    expect(began([DAYTIME], '2026-03-04T09:00:00Z')).toBe('2026-03-04T09:00:00.000Z')
    expect(began([DAYTIME], '2026-03-04T16:59:59Z')).toBe('2026-03-04T09:00:00.000Z')
    expect(began([DAYTIME], '2026-03-04T17:00:00Z')).toBeUndefined()
  })

  it('goes on over midnight', () => {
    expect(began([NIGHT], '2026-03-04T05:00:30Z')).toBe('2026-03-03T22:00:00.000Z')
    expect(began([NIGHT], '2026-03-04T23:00:00Z')).toBe('2026-03-04T22:00:00.000Z')
  })

  it('is for the days on which it begins', () => {
    // 2026-03-06 is a Friday
    const friday = [{ ...NIGHT, days: [5] }]
    expect(began(friday, '2026-03-06T23:00:00Z')).toBe('2026-03-06T22:00:00.000Z')
    expect(began(friday, '2026-03-07T05:00:00Z')).toBe('2026-03-06T22:00:00.000Z')
    expect(began(friday, '2026-03-07T23:00:00Z')).toBeUndefined()
    expect(began(friday, '2026-03-06T05:00:00Z')).toBeUndefined()
  })

  it("is in the store's own time, summer time included", () => {
    expect(began([DAYTIME], '2026-01-07T08:30:00Z', 'Europe/Berlin')).toBe(
      '2026-01-07T08:00:00.000Z',
    )
    expect(began([DAYTIME], '2026-07-08T07:30:00Z', 'Europe/Berlin')).toBe(
      '2026-07-08T07:00:00.000Z',
    )
    expect(began([DAYTIME], '2026-07-08T07:30:00Z', 'America/New_York')).toBeUndefined()
  })

  it("is in the window's time where it names one", () => {
    const berlin = [{ ...DAYTIME, timeZone: 'Europe/Berlin' }]
    expect(began(berlin, '2026-01-07T08:30:00Z', 'America/New_York')).toBe(
      '2026-01-07T08:00:00.000Z',
    )
    expect(blackoutBegan(berlin, undefined, at('2026-01-07T08:30:00Z'))).toBeDefined()
    expect(blackoutBegan([DAYTIME], undefined, at('2026-01-07T10:00:00Z'))).toBeUndefined()
  })

  it('is one with the windows that it follows without a gap', () => {
    const chained = [NIGHT, { from: 6 * 60, to: 9 * 60 }]
    expect(began(chained, '2026-03-04T08:00:00Z')).toBe('2026-03-03T22:00:00.000Z')
  })

  it('comes to an end though its windows never do', () => {
    const always = [
      { from: 0, to: 12 * 60 },
      { from: 12 * 60, to: 0 },
    ]
    expect(blackoutBegan(always, 'UTC', at('2026-03-04T08:00:00Z'))).toBeDefined()
  })

  it('is in UTC where the platform does not know the time zone of a node', () => {
    expect(began([DAYTIME], '2026-03-04T10:00:00Z', 'Mars/Base')).toBe('2026-03-04T09:00:00.000Z')
  })
})

describe('the weight that counts', () => {
  const NODE = { labels: {}, cap: 'enforce' } as const
  const moves = [
    { effectiveAt: at('2026-03-04T08:00:00Z'), weight: 5 },
    { effectiveAt: at('2026-03-04T10:00:00Z'), weight: 50 },
  ]
  const weight = (now: string, more: typeof moves = []): number =>
    shareAt([...moves, ...more], { ...NODE, blackout: [DAYTIME] }, at(now)).weight

  it('is that of the last move whose time has come, 0 before the first', () => {
    const plain = (now: string): number => shareAt(moves, NODE, at(now)).weight
    expect(plain('2026-03-04T07:59:59Z')).toBe(0)
    expect(plain('2026-03-04T09:59:59Z')).toBe(5)
    expect(plain('2026-03-04T10:00:00Z')).toBe(50)
  })

  it('does not rise in a blackout, and does when it is over', () => {
    expect(weight('2026-03-04T16:59:59Z')).toBe(5)
    expect(weight('2026-03-04T17:00:00Z')).toBe(50)
  })

  it('goes back in a blackout as well, and does not rise again in it', () => {
    const back = { effectiveAt: at('2026-03-04T11:00:00Z'), weight: 0 }
    const again = { effectiveAt: at('2026-03-04T12:00:00Z'), weight: 20 }
    expect(weight('2026-03-04T11:30:00Z', [back])).toBe(0)
    expect(weight('2026-03-04T12:30:00Z', [back, again])).toBe(0)
    expect(weight('2026-03-04T18:00:00Z', [back, again])).toBe(20)
  })
})
