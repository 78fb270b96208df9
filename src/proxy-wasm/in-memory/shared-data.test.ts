/** Shared data: scope, cas, and the counter's edges. */
import { describe, expect, it } from 'vitest'
import { Status } from '../abi/enums.ts'
import { InMemorySharedData } from './shared-data.ts'

const A = Uint8Array.of(1)
const B = Uint8Array.of(2)

describe('shared data', () => {
  it('is undefined for what was never set', () => {
    expect(new InMemorySharedData().get('vm', 'k')).toBeUndefined()
  })

  it('is scoped by vm id, the empty one included', () => {
    const data = new InMemorySharedData()
    data.set('', 'k', A, 0)
    expect(data.get('', 'k')?.value).toBe(A)
    expect(data.get('other', 'k')).toBeUndefined()
  })

  it('has a new cas from one counter on every write', () => {
    const data = new InMemorySharedData()
    data.set('vm', 'k', A, 0)
    data.set('vm', 'l', A, 0)
    data.set('vm', 'k', B, 0)
    expect(data.get('vm', 'k')?.cas).toBe(3)
    expect(data.get('vm', 'l')?.cas).toBe(2)
  })

  it('refuses a stale cas and keeps the value', () => {
    const data = new InMemorySharedData()
    data.set('vm', 'k', A, 0)
    expect(data.set('vm', 'k', B, 1)).toBe(Status.Ok)
    expect(data.set('vm', 'k', A, 1)).toBe(Status.CasMismatch)
    expect(data.get('vm', 'k')?.value).toBe(B)
  })

  it('creates an absent key whatever the cas', () => {
    const data = new InMemorySharedData()
    expect(data.set('vm', 'k', A, 77)).toBe(Status.Ok)
    expect(data.get('vm', 'k')?.cas).toBe(1)
  })

  it('skips 0 when the counter wraps', () => {
    const data = new InMemorySharedData(0xffff_ffff)
    data.set('vm', 'k', A, 0)
    data.set('vm', 'l', A, 0)
    expect([data.get('vm', 'k')?.cas, data.get('vm', 'l')?.cas]).toEqual([0xffff_ffff, 1])
  })
})
