/** The test of a vendor's host function: it links in every version, answers Unimplemented, and is logged once. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS, Status } from '../../src/proxy-wasm/index.ts'
import { rowOf } from './row-of.ts'
import { callByHand } from './hand-made.ts'

/** @param name - of a row in the group `vendor` */
export function describeVendor(name: string): void {
  const { params } = rowOf(name)
  describe.each(ABI_VERSIONS)(`${name} in %s`, (version) => {
    it.each([0, -1, 0x7fff_ffff])('is Unimplemented, whatever it is given (%d)', async (value) => {
      const types = params.map(({ type }) => type).join(' ')
      const args = params.map(({ type }) => `(${type}.const ${value})`).join(' ')
      const status = await callByHand(name, `(param ${types})`, args, {
        version: version.replaceAll('.', '_'),
      })
      expect(status).toBe(Status.Unimplemented)
    })
  })
}
