/**
 * What a PluginPolicy says of how a plugin's decisions count: whether they are applied, how far it may
 * fail open, which are written down. Defaults are filled in here, so that a gateway only reads them.
 */
import type { DeclaredPlugin } from './declared-plugin.ts'
import type { PluginPolicy } from '../resources/plugin-policy.ts'
import type { SnapshotPlugin } from '../snapshot.ts'
import type { Report } from './report.ts'

type Modes = Pick<SnapshotPlugin, 'mode' | 'logOnly' | 'failOpenBudget' | 'decisions'>

/**
 * @param policy of the plugin, if it has one
 * @param report takes warnings about members that have no effect for this plugin
 * @returns the members that differ from what a plugin without a policy has
 */
export function compileModes(
  plugin: DeclaredPlugin,
  policy: PluginPolicy | undefined,
  report: Report,
): Modes {
  if (policy === undefined) return {}
  const { mode, logOnly, failOpenBudget, decisionLog, singleton } = policy.spec
  const idle = (member: string, why: string): void => {
    const message = `has no effect on ${plugin.name}: ${why}`
    report({ code: 'config.no_effect', path: ['spec', member], message }, policy)
  }
  if (singleton === true) {
    const members = { mode, logOnly, failOpenBudget, decisionLog }
    for (const [member, value] of Object.entries(members)) {
      if (value !== undefined) idle(member, 'a singleton sees no request')
    }
    return {}
  }
  const isLogOnly = mode === 'log-only'
  if (logOnly !== undefined && !isLogOnly) idle('logOnly', 'its mode is not log-only')
  const budget = budgetOf(plugin, policy, idle)
  const decisions =
    isLogOnly || decisionLog !== undefined
      ? {
          sampling: decisionLog?.sampling ?? 100,
          mask: [...new Set((decisionLog?.mask ?? []).map((name) => name.toLowerCase()))].sort(),
        }
      : undefined
  return {
    ...(isLogOnly ? { mode, logOnly: { callouts: logOnly?.callouts ?? 'run' } } : {}),
    ...(budget === undefined ? {} : { failOpenBudget: budget }),
    ...(decisions === undefined ? {} : { decisions }),
  }
}

function budgetOf(
  { failStrategy }: DeclaredPlugin,
  { spec: { failOpenBudget, mode } }: PluginPolicy,
  idle: (member: string, why: string) => void,
): SnapshotPlugin['failOpenBudget'] {
  if (failOpenBudget === undefined) return undefined
  if (mode === 'log-only') {
    idle('failOpenBudget', 'no failure of a log-only plugin stops a request')
    return undefined
  }
  if (failStrategy !== 'FAIL_OPEN') {
    idle('failOpenBudget', 'its failStrategy is not FAIL_OPEN')
    return undefined
  }
  return { percent: failOpenBudget.percent, minimum: failOpenBudget.minimum ?? 0 }
}
