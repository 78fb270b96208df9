/** `proxy_done`: a root says that what it delayed in on_done is finished. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS } from '../../src/proxy-wasm/index.ts'
import { answers, PHASES, raw, run } from '../support/abi.ts'

const done = raw('proxy_done', [])
const ofRoot = { if: { root: true } }

describe.each(ABI_VERSIONS)('proxy_done in %s', (version) => {
  it('is Ok once in on_done of a root, and NotFound the second time', async () => {
    const steps = [
      { ...done, ...ofRoot },
      { ...done, ...ofRoot },
      { call: 'return_false', ...ofRoot },
    ]
    const lines = await run(version, { done: steps })
    expect(answers(lines).map((line) => line['status'])).toEqual([0, 1])
    const names = lines.flatMap((line) => (line['context'] === 1 && line.on ? line.on : []))
    expect(names.slice(-2)).toEqual(['done', 'delete'])
  })

  it('is NotFound everywhere else', async () => {
    const elsewhere = PHASES.filter((phase) => phase !== 'done' && phase !== 'delete')
    const steps = Object.fromEntries(elsewhere.map((phase) => [phase, [done]]))
    const found = answers(await run(version, steps)).map((line) => line['status'])
    expect(found.length).toBeGreaterThan(5)
    expect(found.every((status) => status === 1)).toBe(true)
  })

  it('is NotFound in a stream’s on_done, whose answer does not count', async () => {
    const lines = await run(version, { done: [{ ...done, if: { root: false } }] })
    expect(answers(lines)).toMatchObject([{ context: 2, status: 1 }])
  })
})
