/** `pthread_equal`: one thread, so ids are equal when they are the same number. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS } from '../../src/proxy-wasm/index.ts'
import { callByHand } from '../support/hand-made.ts'

describe.each(ABI_VERSIONS)('pthread_equal in %s', (version) => {
  it.each([
    [1, 1, 1],
    [1, 2, 0],
    [-1, -1, 1],
    [0, -1, 0],
  ])('says of %d and %d: %d', async (left, right, equal) => {
    const args = `(i32.const ${left}) (i32.const ${right})`
    const answer = await callByHand('pthread_equal', '(param i32 i32)', args, {
      version: version.replaceAll('.', '_'),
    })
    expect(answer).toBe(equal)
  })
})
