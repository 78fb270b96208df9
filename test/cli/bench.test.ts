/** `postern bench` on real modules: that it measures each phase, and what it refuses. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import type { PluginCost } from '../../src/testing/bench-plugin.ts'
import { script } from '../support/machine.ts'

const cwd = join(import.meta.dirname, '../..')
const PROBE = 'test/fixtures/probe/probe-0.2.1.wasm'
let folder: string
let out: string
let err: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function bench(...args: string[]): Promise<number> {
  out = ''
  err = ''
  return run(['bench', ...args], {
    cwd,
    env: {},
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    fetch: () => Promise.reject(new Error('no network')),
  })
}

async function config(steps: Parameters<typeof script>[0]): Promise<string> {
  const file = join(folder, 'config.json')
  await writeFile(file, script(steps))
  return file
}

async function cost(...args: string[]): Promise<PluginCost & { startNanoseconds: number }> {
  expect(await bench('--json', '--batches', '20', ...args)).toBe(0)
  return JSON.parse(out) as PluginCost & { startNanoseconds: number }
}

describe('postern bench', () => {
  it('measures every phase of a plugin', async () => {
    const files = ['--plugin', 'plugins/header-policy/1.1.0.wasm']
    const found = await cost(...files, '--config', 'plugins/header-policy/tests.config.json')
    expect(found.streams).toBe(2000)
    expect(found.phases.map(({ phase }) => phase)).toEqual([
      'open',
      'request headers',
      'request body',
      'response headers',
      'response body',
      'end',
    ])
    const [, headers, body] = found.phases
    expect(headers?.nanoseconds).toBeGreaterThan(body?.nanoseconds ?? 0)
    expect(found.phases.every(({ chainNanoseconds }) => chainNanoseconds > 0)).toBe(true)
    expect(found.heapBytes).toBeGreaterThan(0)
    expect(found.startNanoseconds).toBeGreaterThan(0)
    expect(found.guestMemory.started).toBeGreaterThan(0)
  })

  it('sees guest memory grow', async () => {
    const steps = { request_headers: [{ call: 'grow_memory', pages: 1, if: { total: 1 } }] }
    const { guestMemory } = await cost('--plugin', PROBE, '--config', await config(steps))
    expect(guestMemory.ended - guestMemory.started).toBeGreaterThanOrEqual(64 * 1024)
  })

  it('prints a table for people', async () => {
    expect(await bench('--plugin', 'plugins/ab-cookie/1.0.0.wasm', '--batches', '2')).toBe(1)
    expect(err).toContain('does not start')
    expect(await bench('--plugin', PROBE, '--batches', '2')).toBe(0)
    expect(out).toMatch(/ {2}request headers {3}request_headers +[\d,]+ +[\d,]+ +[\d,]+\n/)
    expect(out).toContain('guest memory')
  })

  it('refuses what does not run', async () => {
    const traps = await config({ request_headers: [{ call: 'trap', kind: 'unreachable' }] })
    expect(await bench('--plugin', PROBE, '--config', traps, '--batches', '1')).toBe(1)
    expect(err).toContain('unreachable')
    expect(await bench('--plugin', 'package.json')).toBe(1)
    expect(await bench('--plugin', 'nowhere.wasm')).toBe(1)
  })

  it('answers 2 when called wrongly', async () => {
    expect(await bench()).toBe(2)
    expect(await bench('--plugin', PROBE, '--batches', 'many')).toBe(2)
    expect(await bench('--help')).toBe(0)
  })
})
