/**
 * An upstream that tests script: a raw server on loopback that keeps every request byte for byte and
 * answers whatever a handler writes, well-formed or not.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { Exchange } from './exchange.ts'
import { RequestParser } from './request-parser.ts'

export type Handler = (exchange: Exchange) => void | Promise<void>

export interface Origin {
  readonly url: string
  readonly port: number
  /** Every request whose head has arrived, in order. */
  readonly requests: Exchange[]
  /** The last one. @throws when there was none */
  readonly last: Exchange
  /** Connections that are open now. */
  readonly connections: number
  /** What the next requests are answered with. */
  answer(handler: Handler): void
  /** Forgets requests and answers `200 ok` again. */
  reset(): void
  /** Waits for the nth request (1-based). */
  request(nth?: number): Promise<Exchange>
  stop(): Promise<void>
}

const ok: Handler = (exchange) => exchange.reply(200, [['content-type', 'text/plain']], 'ok')

/** Starts an upstream on a free port. */
export async function startOrigin(first: Handler = ok): Promise<Origin> {
  let handler = first
  const requests: Exchange[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const parser = new RequestParser((head) => {
      const exchange = new Exchange(socket, head)
      requests.push(exchange)
      for (const wake of waiting) wake()
      void handle(handler, exchange)
      return exchange
    })
    socket.on('data', (data) => parser.feed(data))
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get last() {
      const last = requests.at(-1)
      if (last === undefined) throw new Error('no request has reached the origin')
      return last
    },
    get connections() {
      return sockets.size
    },
    answer: (next) => (handler = next),
    reset() {
      handler = first
      requests.length = 0
    },
    async request(nth = 1) {
      for (;;) {
        const exchange = requests[nth - 1]
        if (exchange !== undefined) return exchange
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A handler that fails is a mistake of the test: the gateway shall see it as a broken upstream. */
async function handle(handler: Handler, exchange: Exchange): Promise<void> {
  try {
    await handler(exchange)
  } catch (error) {
    if (exchange.socket.destroyed) return
    console.error(error)
    exchange.socket.destroy()
  }
}

/** @returns the port on 127.0.0.1 */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
