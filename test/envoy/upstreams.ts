/** The servers behind both gateways: one for each scenario, which records, and one for all callouts. */
import { type Exchange, type HeaderPairs } from '../support/exchange.ts'
import { type Handler, type Origin, startOrigin } from '../support/origin.ts'
import { freePorts } from './free-ports.ts'
import type { Answer, Numbered } from './scenario.ts'

const PAUSE_MS = 30

export interface Upstreams {
  /** By the scenario's id. */
  readonly origins: ReadonlyMap<string, Origin>
  readonly callee: Origin
  /** A port that refuses. */
  readonly refusedPort: number
  stop(): Promise<void>
}

export async function startUpstreams(scenarios: readonly Numbered[]): Promise<Upstreams> {
  const callee = await startOrigin(answerCallout)
  const started = await Promise.all(
    scenarios.map(async ({ id, answer }) => [id, await startOrigin(answerWith(answer))] as const),
  )
  const origins = new Map(started)
  const [refusedPort = 0] = await freePorts(1)
  return {
    origins,
    callee,
    refusedPort,
    async stop() {
      await Promise.all([callee, ...origins.values()].map((origin) => origin.stop()))
    },
  }
}

/** Callouts to a scenario's own upstream go to `/callout/…`; everything else is the request itself. */
function answerWith(answer: Answer = {}): Handler {
  return async (exchange) => {
    if (exchange.target.startsWith('/callout/')) return answerCallout(exchange)
    await exchange.body()
    await give(exchange, answer)
  }
}

async function give(exchange: Exchange, answer: Answer): Promise<void> {
  const { status = 200, headers = [['content-type', 'text/plain']], chunks, trailers } = answer
  if (answer.breaks === 'before') return exchange.reset()
  if (chunks === undefined && trailers === undefined) {
    if (status === 204 || status === 304) return exchange.write(head(status, headers))
    if (exchange.method === 'HEAD') {
      const length = String(answer.body?.length ?? 0)
      return exchange.write(head(status, [...headers, ['content-length', length]]))
    }
    exchange.reply(status, headers, Buffer.from(answer.body ?? 'ok', 'latin1'))
  } else {
    exchange.start(status, headers)
    for (const chunk of chunks ?? [answer.body ?? 'ok']) {
      exchange.chunk(Buffer.from(chunk, 'latin1'))
      await wait(PAUSE_MS)
    }
    if (answer.breaks === undefined) exchange.finish(trailers)
  }
  if (answer.breaks === 'behind') {
    await wait(PAUSE_MS)
    exchange.reset()
  }
}

function head(status: number, headers: HeaderPairs): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`
}

/** What becomes of a callout says the last part of its path. */
const answerCallout: Handler = async (exchange) => {
  const what = exchange.target.split('/').at(-1) ?? ''
  if (what === 'reset') return exchange.reset()
  if (what === 'silent') return
  const body = (await exchange.body()).toString('latin1')
  if (what === 'half') {
    exchange.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')
    await wait(PAUSE_MS)
    return exchange.reset()
  }
  if (what === 'trailers') {
    exchange.start(200)
    exchange.chunk('with trailers')
    return exchange.finish([['x-trailer', 'yes']])
  }
  if (what === 'slow') await wait(4 * PAUSE_MS)
  if (what === 'cookies') {
    return exchange.reply(200, [
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
  }
  if (what === '204') return exchange.write(head(204, [['x-callee', what]]))
  if (/^\d+$/.test(what)) return exchange.reply(Number(what), [['x-callee', what]], `said ${what}`)
  const names = new Set(exchange.headers.map(([name]) => name.toLowerCase()))
  const seen = [...names]
    .filter((name) => /^(x-(?!envoy|forwarded)|content-)/.test(name))
    .map((name) => `${name}=${exchange.header(name) ?? ''}`)
  const text = [exchange.method, exchange.target, ...seen.sort(), body].join(' ')
  if (exchange.method === 'HEAD') {
    const length = ['content-length', String(text.length)] as const
    return exchange.write(head(200, [['x-callee', 'echo'], length]))
  }
  exchange.reply(200, [['x-callee', 'echo']], text)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
