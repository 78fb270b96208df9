/**
 * Waits until a gateway runs a revision. Each question makes it read its store, since nothing tells a
 * gateway that there is something new.
 */
import type { GatewayClient, LiveAnswer } from './gateway-client.ts'
import { CommandError } from './command-error.ts'

const PAUSE_MS = 250

/**
 * @param revision the least that must run
 * @param timeoutSeconds how long to wait; 0: not at all
 * @returns what the gateway says once it runs it
 * @throws CommandError when it refuses the revision, or does not run it in time
 */
export async function waitForRevision(
  gateway: GatewayClient,
  revision: number,
  timeoutSeconds: number,
): Promise<LiveAnswer> {
  const end = Date.now() + timeoutSeconds * 1000
  for (;;) {
    const live = await gateway.refresh()
    const refusals = live.refusals.filter((refusal) => refusal.revision === revision)
    if (live.revision >= revision) return live
    const refused = refusals.find((refusal) => refusal.code.startsWith('config.'))
    if (refused !== undefined) {
      const message = `revision ${revision} is written, but ${gateway.name} refuses it (${refused.code}): ${refused.message}`
      throw new CommandError('apply.not_taken', message, { details: { revision, refusals } })
    }
    if (Date.now() >= end) {
      const message = `revision ${revision} is written, but ${gateway.name} still runs ${live.revision} after ${timeoutSeconds} s`
      throw new CommandError('apply.timeout', message, { details: { revision } })
    }
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS)
    })
  }
}
