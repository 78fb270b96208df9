/** `emscripten_notify_memory_growth`: taken note of, and nothing to do. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS } from '../../src/proxy-wasm/index.ts'
import { callByHand } from '../support/hand-made.ts'

describe.each(ABI_VERSIONS)('emscripten_notify_memory_growth in %s', (version) => {
  it.each([0, 7, -1])('lets the guest go on (%d)', async (memory) => {
    const answer = await callByHand(
      'emscripten_notify_memory_growth',
      '(param i32)',
      `(i32.const ${memory})`,
      { result: '', version: version.replaceAll('.', '_') },
    )
    // what the guest had put there before the call
    expect(answer).toBe(-1)
  })
})
