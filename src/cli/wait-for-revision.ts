/**
 * Waits until a gateway runs a revision. Each question makes it read its store, since nothing tells a
 * gateway that there is something new.
 */
import type { GatewayClient, LiveAnswer } from './gateway-client.ts'
import { CommandError } from './command-error.ts'
import type { NodeAnswer } from './node-answer.ts'

const PAUSE_MS = 250
const NODES_PAUSE_MS = 1_000

export interface RevisionToWaitFor {
  /** The least that must run. */
  readonly revision: number
  /** When to give up, in milliseconds since the Unix epoch. */
  readonly end: number
  /** How long that is, for messages. */
  readonly timeoutSeconds: number
  /** Hears how far it is. */
  progress(text: string): void
}

/**
 * Waits for the gateway that is asked.
 * @returns what it says once it runs the revision
 * @throws CommandError when it refuses the revision, or does not run it in time
 */
export async function waitForRevision(
  gateway: GatewayClient,
  { revision, end, timeoutSeconds }: RevisionToWaitFor,
): Promise<LiveAnswer> {
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
    await pause(PAUSE_MS)
  }
}

/**
 * Waits for every node that has reported of late.
 * @returns the nodes, all of which run the revision
 * @throws CommandError when one refuses it, when one does not run it in time, or when the gateway
 *   knows of no nodes
 */
export async function waitForNodes(
  gateway: GatewayClient,
  { revision, end, timeoutSeconds, progress }: RevisionToWaitFor,
): Promise<readonly NodeAnswer[]> {
  let told = ''
  for (;;) {
    const { nodes } = await gateway.status()
    if (nodes === null) {
      const message = `revision ${revision} is written and runs at ${gateway.name}, but the reports of its nodes cannot be had`
      throw new CommandError('apply.timeout', message, { details: { revision, nodes } })
    }
    const awake = nodes.filter(({ state }) => state !== 'silent')
    for (const { node, refused } of awake) {
      const first = refused.find((refusal) => refusal.revision === revision)
      if (first === undefined) continue
      const message = `revision ${revision} is written, but the node ${node} refuses it (${first.code}): ${first.message}`
      throw new CommandError('apply.not_taken', message, { details: { revision, nodes } })
    }
    const behind = awake.filter((node) => node.revision < revision).map(({ node }) => node)
    if (behind.length === 0) return awake
    const text = `${awake.length - behind.length} of ${awake.length} nodes run it; not yet: ${behind.join(', ')}`
    if (text !== told) progress(text)
    told = text
    if (Date.now() >= end) {
      const message = `revision ${revision} is written and runs at ${gateway.name}, but after ${timeoutSeconds} s ${text}. A node without traffic looks for it with its next request`
      throw new CommandError('apply.timeout', message, { details: { revision, nodes, behind } })
    }
    await pause(NODES_PAUSE_MS)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
