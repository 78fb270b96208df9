/**
 * Somebody else was first: who, why, and what they changed, so that whoever is told can decide. Their
 * own files are as they were.
 * @param current the revision that is active
 * @param again what to do next
 */
import { CommandError } from './command-error.ts'
import type { GatewayClient } from './gateway-client.ts'
import { formatChanges } from './print.ts'

export async function conflictError(
  gateway: GatewayClient,
  current: number,
  again: string,
): Promise<CommandError> {
  const lines = [`Somebody else applied meanwhile: revision ${current} is active.`]
  // what is known of it is welcome and not needed: without it the error is the same
  const known = await gateway.history().catch(() => undefined)
  const record = known?.revisions.find(({ revision }) => revision === current)
  if (record !== undefined) {
    const { by, at, why, changes = [] } = record
    lines.push(`By ${by || 'somebody unnamed'} at ${at}${why ? `: ${why}` : ''}.`)
    lines.push(
      ...formatChanges(changes)
        .split('\n')
        .filter(Boolean)
        .map((line) => `    ${line}`),
    )
  }
  lines.push(`Nothing of yours was written, and your files are as they were. ${again}`)
  const details = { result: 'conflict', current, ...(record && { revision: record }) }
  return new CommandError('apply.conflict', lines.join('\n'), { details })
}
