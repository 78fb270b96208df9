/** Sends a scenario's requests to one gateway and gathers everything that came of them. */
import { request as httpRequest } from 'node:http'
import type { HeaderPairs } from '../support/exchange.ts'
import type { Origin } from '../support/origin.ts'
import type { Peer } from './gateways.ts'
import type { Entry } from './journal.ts'
import { hostOf, type Numbered, type ScenarioRequest } from './scenario.ts'

export interface Reply {
  /** 0 when there was none. */
  readonly status: number
  readonly headers: HeaderPairs
  readonly trailers: HeaderPairs
  readonly body: string
  /** How it ended. */
  readonly end: 'whole' | 'broken' | 'timeout'
}

/** One request as it reached the upstream. */
export interface Received {
  readonly method: string
  readonly target: string
  readonly headers: HeaderPairs
  readonly body: string
}

export interface Observed {
  readonly refused: boolean
  /** The gateway's process has ended. */
  readonly crashed: boolean
  readonly replies: readonly Reply[]
  readonly received: readonly Received[]
  readonly log: readonly Entry[]
}

const PATIENCE_MS = 4000
const BETWEEN_CHUNKS_MS = 40
const BACKGROUND_MS = 60
/** Nothing more is logged for this long: the stream is over. */
const QUIET_MS = 40
const QUIET_MAX_MS = 600

export async function play(peer: Peer, scenario: Numbered, origin: Origin): Promise<Observed> {
  const refused = await peer.refuses(scenario)
  if (refused || scenario.refused === true) {
    return { refused, crashed: false, replies: [], received: [], log: [] }
  }
  origin.requests.length = 0
  const replies: Promise<Reply>[] = []
  for (const request of scenario.requests ?? [{}]) {
    if (request.waitMs !== undefined) await wait(request.waitMs)
    const reply = send(peer.urlOf(scenario), hostOf(scenario), request)
    replies.push(reply)
    if (request.background === true) await wait(BACKGROUND_MS)
    else {
      await reply
      await quiet(peer, scenario)
    }
  }
  const answered = await Promise.all(replies)
  if (scenario.settleMs !== undefined) await wait(scenario.settleMs)
  await quiet(peer, scenario)
  const received = await Promise.all(
    origin.requests.map(async (exchange) => {
      const { method, target, headers, complete } = exchange
      const body = complete ? (await exchange.body()).toString('latin1') : '(broken off)'
      return { method, target, headers, body }
    }),
  )
  const crashed = peer.crashed()
  return { refused, crashed, replies: answered, received, log: peer.journal.entries(scenario.id) }
}

/** Waits until the streams that were begun are deleted, or nothing is logged any more. */
async function quiet(peer: Peer, { id }: Numbered): Promise<void> {
  const started = Date.now()
  let count = -1
  let since = started
  while (Date.now() - started < QUIET_MAX_MS) {
    const entries = peer.journal.entries(id)
    if (entries.length !== count) {
      count = entries.length
      since = Date.now()
    }
    if (Date.now() - since >= QUIET_MS && open(entries) === 0) return
    if (Date.now() - since >= QUIET_MS * 5) return
    await wait(8)
  }
}

function open(entries: readonly Entry[]): number {
  let count = 0
  for (const { message } of entries) {
    if (message.startsWith('{"on":"create"') && !message.includes('"parent":0')) count++
    else if (message.startsWith('{"on":"delete"')) count--
  }
  return count
}

function send(url: string, host: string, options: ScenarioRequest): Promise<Reply> {
  const { method = 'GET', path = '/', headers = [], body, chunks, trailers } = options
  const length = body === undefined ? [] : ['content-length', String(body.length)]
  const framing = chunks || trailers ? ['transfer-encoding', 'chunked'] : length
  // in the order of Fetch; x-forwarded- said by the client, so that both gateways have it at one place
  const first = ['host', host, 'accept-encoding', 'identity']
  const last = ['x-forwarded-host', host, 'x-forwarded-proto', 'http']
  const lines = [...first, ...headers.flat(), ...framing, ...last]
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const request = httpRequest({ hostname, port, method, path, headers: lines, agent: false })
    let reply: Omit<Reply, 'end'> = { status: 0, headers: [], trailers: [], body: '' }
    const end = (how: Reply['end']): void => {
      clearTimeout(late)
      resolve({ ...reply, end: how })
      // workerd hears of a reset only
      request.socket?.resetAndDestroy()
    }
    const late = setTimeout(() => end('timeout'), PATIENCE_MS)
    if (options.leavesAfterMs !== undefined) {
      setTimeout(() => request.socket?.resetAndDestroy(), options.leavesAfterMs)
    }
    request.on('error', () => end('broken'))
    request.on('response', (message) => {
      reply = { ...reply, status: message.statusCode ?? 0, headers: pairs(message.rawHeaders) }
      message.on('data', (data: Buffer) => {
        reply = { ...reply, body: reply.body + data.toString('latin1') }
      })
      message.on('error', () => end('broken'))
      message.on('aborted', () => end('broken'))
      message.on('end', () => {
        reply = { ...reply, trailers: pairs(message.rawTrailers) }
        end(message.complete ? 'whole' : 'broken')
      })
    })
    void write(request, options)
  })
}

async function write(
  request: ReturnType<typeof httpRequest>,
  { body, chunks, trailers }: ScenarioRequest,
): Promise<void> {
  for (const chunk of chunks ?? []) {
    if (request.destroyed) return
    request.write(Buffer.from(chunk, 'latin1'))
    await wait(BETWEEN_CHUNKS_MS)
  }
  if (trailers)
    request.addTrailers(trailers.map(([name, value]) => [name, value] as [string, string]))
  request.end(body === undefined ? undefined : Buffer.from(body, 'latin1'))
}

function pairs(raw: readonly string[]): HeaderPairs {
  const lines: (readonly [string, string])[] = []
  for (let i = 0; i < raw.length; i += 2) lines.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return lines
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
