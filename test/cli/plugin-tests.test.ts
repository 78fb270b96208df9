/** The tests that stand beside each shipped plugin, run as its author runs them: `postern test`. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import type { SuiteReport } from '../../src/testing/suite/run-suite.ts'

const cwd = join(import.meta.dirname, '../..')
const plugins = readdirSync(join(cwd, 'plugins')).filter((name) =>
  existsSync(join(cwd, 'plugins', name, 'plugin.json')),
)

describe.each(plugins)('plugins/%s', (name) => {
  const files = readdirSync(join(cwd, 'plugins', name)).filter((file) =>
    /^tests\.(textpb|yaml)$/.test(file),
  )

  it('has tests', () => {
    expect(files).toHaveLength(1)
  })

  it.each(files)('passes %s', async (file) => {
    let out = ''
    const print = (text: string): void => void (out += text)
    const code = await run(['test', '--proto', `plugins/${name}/${file}`, '--json'], {
      cwd,
      env: {},
      stdout: print,
      stderr: print,
      fetch: () => Promise.reject(new Error('no network')),
    })
    const report = JSON.parse(out) as SuiteReport
    expect(report.tests.filter(({ failures }) => failures.length > 0)).toEqual([])
    expect([code, report.passed > 0]).toEqual([0, true])
  })
})
