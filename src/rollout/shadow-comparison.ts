/**
 * What a candidate would have done otherwise than the stable version, found by comparing what each made
 * of the same stream. Kinds of differences are few, so that they can be counted by kind.
 */
import { type HeaderChange, headerChanges } from '../proxy-wasm/stream/header-changes.ts'
import type { Verdict, VerdictMessage } from '../proxy-wasm/stream/verdict.ts'

/**
 * `trap`, `held`, `reset` and `local-reply`: one of them did so and the other did not, in this order where
 * several are so. The rest are of two that both answered, or both let the messages pass.
 */
export const SHADOW_DIFFERENCES = [
  'trap',
  'held',
  'reset',
  'local-reply',
  'status',
  'request-headers',
  'request-body',
  'response-headers',
  'response-body',
] as const

export interface ShadowDifference {
  readonly class: (typeof SHADOW_DIFFERENCES)[number]
  /** Of an answer: the candidate's, where there is one. */
  readonly status?: number | undefined
  /** `before` is the stable version's line, `after` the candidate's. */
  readonly headers?: readonly HeaderChange[] | undefined
  readonly bytes?: { readonly before: number; readonly after: number }
}

/** @returns nothing where both did the same */
export function shadowDifferences(stable: Verdict, candidate: Verdict): ShadowDifference[] {
  if (stable.outcome !== candidate.outcome) {
    return [{ class: apartBy(stable, candidate), status: wouldAnswer(candidate) }]
  }
  switch (stable.outcome) {
    case 'answered':
      return answersApart(stable, candidate)
    case 'passed':
      return [
        ...messagesApart('request', stable.request, candidate.request),
        ...messagesApart('response', stable.response, candidate.response),
      ]
    default:
      return []
  }
}

/**
 * What a client is answered when this is done.
 * @returns undefined where it is not known
 */
export function wouldAnswer({ outcome, reply, response }: Verdict): number | undefined {
  if (outcome === 'answered') return reply?.status
  return outcome === 'passed' ? statusOf(response) : 503
}

function apartBy(stable: Verdict, candidate: Verdict): ShadowDifference['class'] {
  const is = (outcome: Verdict['outcome']): boolean =>
    stable.outcome === outcome || candidate.outcome === outcome
  if (is('failed')) return 'trap'
  if (is('held')) return 'held'
  return is('reset') ? 'reset' : 'local-reply'
}

function answersApart({ reply: stable }: Verdict, { reply: own }: Verdict): ShadowDifference[] {
  if (stable === undefined || own === undefined) return []
  const status: ShadowDifference[] =
    stable.status === own.status ? [] : [{ class: 'status', status: own.status }]
  return [...status, ...messagesApart('response', stable, own)]
}

function messagesApart(
  direction: 'request' | 'response',
  stable: VerdictMessage | undefined,
  own: VerdictMessage | undefined,
): ShadowDifference[] {
  if (stable === undefined || own === undefined) return []
  const found: ShadowDifference[] = []
  const changes = headerChanges(stable.headers, own.headers)
  if (changes?.some(({ name }) => name === ':status')) {
    found.push({ class: 'status', status: statusOf(own) })
  }
  const headers = changes?.filter(({ name }) => name !== ':status') ?? []
  if (headers.length > 0) found.push({ class: `${direction}-headers`, headers })
  // undefined where nobody looks at it, or it had not all been seen
  const [before, after] = [stable.body, own.body]
  if (before !== undefined && after !== undefined && !sameBytes(before, after)) {
    found.push({
      class: `${direction}-body`,
      bytes: { before: before.length, after: after.length },
    })
  }
  return found
}

function statusOf(message: VerdictMessage | undefined): number | undefined {
  const at = message?.headers.indexOf(':status') ?? -1
  return at < 0 ? undefined : Number(message?.headers[at + 1])
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
