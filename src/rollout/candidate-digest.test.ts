import { expect, it } from 'vitest'
import { candidateDigest } from './candidate-digest.ts'

const version = { module: 'a'.repeat(64), configuration: '{}' }

it('tells versions apart, by module and by configuration', async () => {
  const digests = await Promise.all([
    candidateDigest(version),
    candidateDigest({ ...version, module: 'b'.repeat(64) }),
    candidateDigest({ ...version, configuration: '' }),
  ])
  expect(new Set(digests).size).toBe(3)
})

it("tells a shadow from a candidate that takes part, so that neither has the other one's weights", async () => {
  const plain = await candidateDigest(version)
  expect(await candidateDigest(version, 'enforce')).toBe(plain)
  expect(await candidateDigest(version, 'shadow')).not.toBe(plain)
})
