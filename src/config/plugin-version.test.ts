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
