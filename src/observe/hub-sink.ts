/**
 * Reports over HTTP: to a gateway elsewhere, the hub, which adds up what all stores say. Whatever is wrong
 * with it or the line, the batch is kept and sent again under its number, and no request waits. Only a batch
 * that the hub itself says it will never take is given up.
 */
import type { Report, ReportReply, ReportSink } from './report.ts'
import { ReportRefused } from './report-refused.ts'

export interface HubSinkOptions {
  /** As configured: `https://hub.example`; http for loopback alone. */
  readonly url: string
  /** Sent as it is, and never shown. */
  readonly token: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Hears when something begins to go wrong, or ends to. */
  readonly log: (line: string) => void
}

const DEADLINE_MS = 5_000
/** Of an answer that is read; a document of rollouts is some kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024
/** What a hub answers to a batch that it can never take. */
const NEVER: ReadonlySet<unknown> = new Set(['report.invalid', 'report.too_large'])

/**
 * The way to a hub.
 * @throws when reports must not be sent there: a sentence that says why, without the token
 */
export function hubSink({ url, token, fetch, log }: HubSinkOptions): ReportSink {
  const { address, hub } = hubAddress(url)
  if (token === '') throw new Error('HUB_TOKEN is not set')
  let wrong = ''
  const tell = (why: string): void => {
    if (why !== wrong) log(why === '' ? `the hub ${hub} takes reports again` : why)
    wrong = why
  }
  return {
    hub,
    async send(report) {
      try {
        const response = await fetch(address, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(report),
          // the token is for the hub, and for nobody that it may point at
          redirect: 'manual',
          signal: AbortSignal.timeout(DEADLINE_MS),
        })
        const reply = await replyOf(response, report)
        tell('')
        return reply
      } catch (error) {
        tell(`the hub ${hub} does not take reports: ${(error as Error).message}`)
        throw error
      }
    },
  }
}

function hubAddress(text: string): { readonly address: string; readonly hub: string } {
  if (!URL.canParse(text)) throw new Error('HUB_URL is no URL')
  const url = new URL(text)
  const { protocol, hostname, username, password, search, hash } = url
  if (username + password + search + hash !== '') {
    throw new Error('HUB_URL has more than scheme, host and path')
  }
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) {
    throw new Error('HUB_URL must be https, so that nobody between reads the token')
  }
  const hub = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return { address: `${hub}/-/reports`, hub }
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

async function replyOf(response: Response, { sequence }: Report): Promise<ReportReply> {
  const value = parsed(await textOf(response))
  if (response.status !== 200) {
    const { code } = memberOf(value, 'error')
    const answered = `it answered ${response.status}${typeof code === 'string' ? ` ${code.slice(0, 60)}` : ''}`
    throw NEVER.has(code) ? new ReportRefused(answered) : new Error(answered)
  }
  if (!isReply(value) || value.acknowledged < sequence) {
    throw new Error('what answered is no hub of this kind')
  }
  return value
}

/** @returns undefined for what is no JSON, or too long */
function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

async function textOf({ body }: Response): Promise<string | undefined> {
  if (body === null) return undefined
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    // leaving the loop cancels the rest
    if (length > MAX_ANSWER_BYTES) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function isReply(value: unknown): value is ReportReply {
  if (!isObject(value)) return false
  const { acknowledged, active, rollouts } = value
  return (
    Number.isSafeInteger(acknowledged) &&
    (active === null ||
      (isObject(active) &&
        Number.isSafeInteger(active['revision']) &&
        typeof active['snapshot'] === 'string')) &&
    (rollouts === undefined || (isObject(rollouts) && Number.isSafeInteger(rollouts['version'])))
  )
}

function memberOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const member = isObject(value) ? value[name] : undefined
  return isObject(member) ? member : {}
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
