/** A secret as text or as its digest. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Secret } from './secret.ts'

const WORD = 'correct horse battery stäple'
const DIGEST = createHash('sha256').update(WORD).digest('hex')

describe.each([
  ['as it is', WORD],
  ['as its digest', `sha256:${DIGEST}`],
  ['as its digest in capitals', `sha256:${DIGEST.toUpperCase()}`],
])('a secret %s', (_how, text) => {
  it('matches itself and nothing else', async () => {
    const secret = Secret.parse(text)
    expect(await secret?.matches(WORD)).toBe(true)
    for (const other of ['', WORD.slice(1), `${WORD} `, DIGEST, `sha256:${DIGEST}`]) {
      expect(await secret?.matches(other)).toBe(false)
    }
  })
})

describe('what is configured', () => {
  it('is nothing when it is empty', () => {
    expect([Secret.parse(undefined), Secret.parse('')]).toEqual([undefined, undefined])
  })

  it.each(['sha256:', 'sha256:abc', `sha256:${DIGEST}0`, `sha256:${'g'.repeat(64)}`])(
    'is refused when it is no digest: %s',
    (text) => {
      expect(() => Secret.parse(text)).toThrow('64 hex digits')
    },
  )
})
