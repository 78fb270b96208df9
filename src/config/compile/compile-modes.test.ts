/** What a PluginPolicy makes of a plugin's mode, budget and decision log in the snapshot. */
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.ts'
import { formatPath } from '../problem.ts'
import type { PluginPolicy } from '../resources/plugin-policy.ts'
import type { WasmPlugin } from '../resources/wasm-plugin.ts'
import { CATALOG, plugin, policy } from '../testing/resources.ts'

/** The plugin `p` with this policy, and what was warned about. */
function compiled(spec: Partial<PluginPolicy['spec']>, of: Partial<WasmPlugin['spec']> = {}) {
  const resources = [plugin('p', of), policy('x', 'p', spec)]
  const { snapshot, problems } = compile({ resources, catalog: CATALOG })
  const { mode, logOnly, failOpenBudget, decisions } = snapshot?.plugins['default.p'] ?? {}
  const warnings = problems.map(
    ({ severity, resource, path, message }) =>
      `${severity} ${resource} ${formatPath(path)}: ${message}`,
  )
  return { mode, logOnly, failOpenBudget, decisions, warnings }
}

const open = { failStrategy: 'FAIL_OPEN' } as const

describe('a mode', () => {
  it('is written for log-only alone, with all that goes with it', () => {
    expect(compiled({ mode: 'enforce' })).toEqual({ warnings: [] })
    expect(compiled({ mode: 'log-only' })).toEqual({
      mode: 'log-only',
      logOnly: { callouts: 'run' },
      decisions: { sampling: 100, mask: [] },
      warnings: [],
    })
  })

  it('says what becomes of callouts', () => {
    const { logOnly } = compiled({ mode: 'log-only', logOnly: { callouts: 'block' } })
    expect(logOnly).toEqual({ callouts: 'block' })
  })

  it('warns of callouts when it is not log-only', () => {
    const { logOnly, warnings } = compiled({ logOnly: { callouts: 'block' } })
    expect(logOnly).toBeUndefined()
    expect(warnings).toEqual([
      'warning PluginPolicy default/x spec.logOnly: has no effect on p: its mode is not log-only',
    ])
  })
})

describe('a budget for failing open', () => {
  it('is strict unless it names a minimum', () => {
    const spec = { failOpenBudget: { percent: 2.5 } }
    expect(compiled(spec, open).failOpenBudget).toEqual({ percent: 2.5, minimum: 0 })
    const more = { failOpenBudget: { percent: 0, minimum: 3 } }
    expect(compiled(more, open).failOpenBudget).toEqual({ percent: 0, minimum: 3 })
  })

  it.each([
    ['a plugin that fails closed', {}, {}, 'its failStrategy is not FAIL_OPEN'],
    ['a log-only plugin', { mode: 'log-only' } as const, open, 'no failure of a log-only plugin'],
  ])('has no effect on %s', (_what, spec, of, why) => {
    const { failOpenBudget, warnings } = compiled({ ...spec, failOpenBudget: { percent: 1 } }, of)
    expect(failOpenBudget).toBeUndefined()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`spec.failOpenBudget: has no effect on p: ${why}`)
  })
})

describe('the decision log', () => {
  it('is off unless it is asked for, and then has every decision', () => {
    expect(compiled({}).decisions).toBeUndefined()
    expect(compiled({ decisionLog: {} }).decisions).toEqual({ sampling: 100, mask: [] })
  })

  it('has its sampling, and its mask in one form', () => {
    const decisionLog = { sampling: 0.5, mask: ['X-Card', 'token', 'x-card'] }
    const { decisions } = compiled({ mode: 'log-only', decisionLog })
    expect(decisions).toEqual({ sampling: 0.5, mask: ['token', 'x-card'] })
  })
})

it('a singleton has none of them, and each that is set is warned about', () => {
  const { warnings, ...modes } = compiled({
    singleton: true,
    mode: 'log-only',
    logOnly: {},
    failOpenBudget: { percent: 1 },
    decisionLog: {},
  })
  expect(modes).toEqual({})
  expect(warnings.map((line) => line.split(':')[0])).toEqual([
    'warning PluginPolicy default/x spec.mode',
    'warning PluginPolicy default/x spec.logOnly',
    'warning PluginPolicy default/x spec.failOpenBudget',
    'warning PluginPolicy default/x spec.decisionLog',
  ])
})
