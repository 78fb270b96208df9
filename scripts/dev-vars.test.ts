import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ensureDevSecrets } from './dev-vars.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-dev-vars-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the local secrets', () => {
  it('are made once, for their owner alone', () => {
    const path = join(folder, 'new')
    expect(ensureDevSecrets(path)).toEqual(['ADMIN_TOKEN', 'ROLLOUT_SECRET'])
    const text = readFileSync(path, 'utf8')
    expect(text).toMatch(/^ADMIN_TOKEN=[\w-]{32}\nROLLOUT_SECRET=[\w-]{32}\n$/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(ensureDevSecrets(path)).toEqual([])
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('that are there stay as they are', () => {
    const path = join(folder, 'old')
    writeFileSync(path, 'ADMIN_TOKEN=mine\nOTHER=x')
    expect(ensureDevSecrets(path)).toEqual(['ROLLOUT_SECRET'])
    expect(readFileSync(path, 'utf8')).toMatch(
      /^ADMIN_TOKEN=mine\nOTHER=x\nROLLOUT_SECRET=[\w-]{32}\n$/,
    )
  })
})
