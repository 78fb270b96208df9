/** `abort`: AssemblyScript's last word. Ends the vm, wherever its message is said to be. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS } from '../../src/proxy-wasm/index.ts'
import { callByHand } from '../support/hand-made.ts'

describe.each(ABI_VERSIONS)('abort in %s', (version) => {
  it.each([
    ['no message', '(i32.const 0) (i32.const 0)'],
    ['a message beyond memory', '(i32.const -1) (i32.const 2147483647)'],
    ['a message whose length is before memory', '(i32.const 2) (i32.const 1)'],
  ])('ends the guest with %s', async (_, texts) => {
    const answer = await callByHand(
      'abort',
      '(param i32 i32 i32 i32)',
      `${texts} (i32.const 3) (i32.const 9)`,
      { result: '', version: version.replaceAll('.', '_') },
    )
    expect(answer).toBeUndefined()
  })
})
