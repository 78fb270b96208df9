import { describe, expect, it } from 'vitest'
import { ATTRIBUTES } from './attributes.ts'

describe('ATTRIBUTES', () => {
  it('are paths of one or two segments, in lower case', () => {
    for (const path of Object.keys(ATTRIBUTES)) {
      expect(path).toMatch(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?$/)
    }
  })
})
