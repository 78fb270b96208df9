/** Which marker decides, and what is said when none does. */
import { describe, expect, it } from 'vitest'
import { detectAbiVersion } from './version.ts'

describe('detectAbiVersion', () => {
  it.each([
    ['proxy_abi_version_0_1_0', '0.1.0'],
    ['proxy_abi_version_0_2_0', '0.2.0'],
    ['proxy_abi_version_0_2_1', '0.2.1'],
  ])('reads %s as %s', (marker, version) => {
    expect(detectAbiVersion(['malloc', marker])).toEqual({ ok: true, value: version })
  })

  it('takes the first marker in export order', () => {
    const exports = ['proxy_abi_version_0_2_0', 'proxy_abi_version_0_2_1']
    expect(detectAbiVersion(exports)).toEqual({ ok: true, value: '0.2.0' })
  })

  it('takes a known marker after an unknown one', () => {
    const exports = ['proxy_abi_version_0_2_100', 'proxy_abi_version_0_2_1']
    expect(detectAbiVersion(exports)).toEqual({ ok: true, value: '0.2.1' })
  })

  it('names 0.2.100 and the SDK to use instead', () => {
    const result = detectAbiVersion(['proxy_abi_version_0_2_100'])
    expect(result).toMatchObject({ ok: false, error: { code: 'abi-unsupported' } })
    expect(!result.ok && result.error.message).toContain('0.2.100')
  })

  it('names a marker it does not know', () => {
    const result = detectAbiVersion(['proxy_abi_version_9_9_9'])
    expect(!result.ok && result.error.message).toContain('proxy_abi_version_9_9_9')
  })

  it('says that a module without a marker is no plugin', () => {
    expect(detectAbiVersion(['malloc', '_start'])).toMatchObject({
      ok: false,
      error: { code: 'abi-missing' },
    })
    expect(detectAbiVersion([]).ok).toBe(false)
  })
})
