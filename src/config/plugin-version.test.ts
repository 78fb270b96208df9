import { expect, it } from 'vitest'
import { pluginVersion } from './plugin-version.ts'

const version = { module: 'a'.repeat(64), configuration: '{}' }

it('tells versions apart, by module and by configuration', async () => {
  const digests = await Promise.all([
    pluginVersion(version),
    pluginVersion({ ...version, module: 'b'.repeat(64) }),
    pluginVersion({ ...version, configuration: '' }),
  ])
  expect(new Set(digests).size).toBe(3)
})
