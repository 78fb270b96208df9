/** What a node refuses now, and what it refused before it was put right. */
import { describe, expect, it } from 'vitest'
import { refusedNow } from './refused-now.ts'
import type { IsolateFacts, ReportedRefusal } from './report.ts'

const AT = '2026-11-21T10:00:30.000Z'

const refusal = (code: string, revision: number, plugin?: string): ReportedRefusal => ({
  code,
  message: '',
  at: AT,
  revision,
  ...(plugin === undefined ? {} : { plugin }),
})

function refuses(one: ReportedRefusal, facts: Partial<IsolateFacts> = {}): boolean {
  const base = { node: 'ams', revision: 4, snapshot: 'ab', checkedAt: '2026-11-21T10:00:00.000Z' }
  return refusedNow({ ...base, ...facts, refusals: [one] }).length === 1
}

describe('a revision that was refused', () => {
  it('is refused now while an older one runs, and not when a newer one does', () => {
    const one = refusal('config.snapshot_hash', 5)
    expect([refuses(one), refuses(one, { revision: 6 })]).toEqual([true, false])
  })

  it('is not any more when the pointer was put right and names what runs', () => {
    const one = refusal('config.signature_missing', 1_000)
    expect(refuses(one, { checkedAt: AT })).toBe(true)
    expect(refuses(one, { checkedAt: '2026-11-21T10:00:31.000Z' })).toBe(false)
    expect(refuses(one, { checkedAt: null })).toBe(true)
  })
})

describe('a plugin that was refused', () => {
  const one = refusal('plugin.not_activated', 4, 'default.waf')
  const down = [{ plugin: 'default.waf', state: 'last-good', reason: 'no' } as const]

  it('is refused now while its version does not run', () => {
    expect(refuses(one, { plugins: down })).toBe(true)
    expect(refuses(one, { plugins: [] })).toBe(false)
  })

  it('is taken at its word where nothing is known of plugins', () => {
    expect(refuses(one)).toBe(true)
  })

  it('is not any more when the next revision runs', () => {
    expect(refuses(one, { revision: 5, plugins: down })).toBe(false)
  })
})

describe('a fault of the store', () => {
  const one = refusal('config.pointer_invalid', 0)

  it('holds until the store was read without fault', () => {
    expect(refuses(one)).toBe(true)
    expect(refuses(one, { checkedAt: '2026-11-21T10:00:31.000Z' })).toBe(false)
    expect(refuses(one, { checkedAt: null, revision: 0 })).toBe(true)
  })

  it('is none where the store only shows an old pointer', () => {
    expect(refuses(refusal('config.revision_older', 3))).toBe(false)
  })
})
