/** Plugins that did not start where they were tried, as the error that is shown: each with its reason and log. */
import { CommandError } from './command-error.ts'

/**
 * @param failed the plugins, also shown with `--json`
 * @param outcome what came of it, the last line
 */
export function startRefusal(
  failed: readonly {
    readonly plugin: string
    readonly reason?: string | undefined
    readonly logs: readonly string[]
  }[],
  outcome: string,
): CommandError {
  const reasons = failed.flatMap(({ plugin, reason, logs }) => [
    `${plugin} did not start: ${reason ?? 'no reason given'}`,
    ...logs.map((line) => `    ${line}`),
  ])
  const message = [...reasons, outcome].join('\n')
  return new CommandError('plugin.preflight_refused', message, { details: { preflight: failed } })
}
