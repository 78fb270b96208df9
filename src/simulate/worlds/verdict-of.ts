/** What a chain made of one request, seen from outside: what the upstream and the client got. */
import type { Decided, HeaderLines, Verdict } from '../../proxy-wasm/index.ts'
import type { VerdictMessage } from '../../proxy-wasm/stream/verdict.ts'
import type { SimulatedRequest } from './simulated-request.ts'

/** In the machine's words: a plugin held the stream for as long as it may, or broke it off. */
const HELD = 'limits.pauseMs'
const CLOSED = 'wasm_close_stream'

/** Fetch works it out from the body, which is compared by itself. */
const WORKED_OUT: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])

/**
 * @param response - the client's
 * @param body - undefined where it broke off
 * @param decided - what the plugins of its chain have decided
 */
export function verdictOf(
  { sent, info }: SimulatedRequest,
  response: Response,
  body: Uint8Array | undefined,
  decided: readonly Decided[],
): Verdict {
  const enforced = decided.filter(({ plugin }) => plugin.logOnly === undefined)
  const lines = Array.from(response.headers, ([name, value]) => [name, value] as const)
  const answer = { headers: compared(lines.flat()), body }
  const outcome = outcomeOf(enforced, info.responseDetails, body !== undefined)
  const { status } = response
  const headers = [':status', `${status}`, ...answer.headers]
  return {
    outcome: outcome === 'passed' && sent === undefined ? 'answered' : outcome,
    reply: { status, ...answer },
    request: sent && { headers: compared(sent.headers), body: sent.body },
    response: { headers, body },
  } satisfies Verdict & { readonly response: VerdictMessage }
}

function outcomeOf(
  decided: readonly Decided[],
  details: string | undefined,
  isWhole: boolean,
): Verdict['outcome'] {
  const failure = decided.find((one) => one.class === 'fail-close' || one.class === 'fail-open')
  if (failure !== undefined) return failure.details === HELD ? 'held' : 'failed'
  if (details === CLOSED || !isWhole) return 'reset'
  return decided.some((one) => one.class === 'local-reply') ? 'answered' : 'passed'
}

function compared(lines: HeaderLines): string[] {
  return lines.filter((_line, at) => !WORKED_OUT.has(lines[at - (at % 2)] as string))
}
