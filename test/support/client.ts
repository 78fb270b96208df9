/** A client that shows responses as they came: lines in order, chunks in time, and can break off. */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import type { HeaderPairs } from './exchange.ts'

export interface SendOptions {
  readonly method?: string
  readonly headers?: HeaderPairs
  /** Text or bytes are sent with their length. */
  readonly body?: string | Buffer
}

/** A response whose body is still coming. */
export interface Opened {
  readonly status: number
  /** In order, as they came. */
  readonly headers: HeaderPairs
  header(name: string): string | undefined
  all(name: string): string[]
  /** The next bytes; undefined at the end. @throws when the connection broke */
  next(): Promise<Buffer | undefined>
  /** Leaves with a reset, the only way in which workerd hears of it. */
  leave(): void
}

export interface Reply extends Omit<Opened, 'next' | 'leave'> {
  readonly bytes: Buffer
  readonly text: string
  json(): unknown
}

/** A request under way: its body can be written, its response awaited, its client can leave. */
export interface Sending {
  readonly request: ClientRequest
  readonly response: Promise<Opened>
  leave(): void
}

/** Starts a request on a connection of its own, its body left open. */
export function begin(url: string, options: SendOptions = {}): Sending {
  const { method = 'GET', headers = [] } = options
  const { host, port, hostname } = new URL(url)
  const path = url.slice(url.indexOf(host) + host.length) || '/'
  const lines = headers.some(([name]) => name.toLowerCase() === 'host')
    ? headers
    : [['host', host] as const, ...headers]
  const request = httpRequest({
    host: hostname,
    port,
    method,
    path,
    headers: lines.flat(),
    agent: false,
  })
  const response = new Promise<Opened>((resolve, reject) => {
    request.on('response', (message) => resolve(opened(message)))
    request.on('error', reject)
  })
  // a test that leaves does not look at the response
  response.catch(() => undefined)
  return { request, response, leave: () => request.socket?.resetAndDestroy() }
}

/** Sends a request. @returns its response as soon as its head is there */
export function open(url: string, options: SendOptions = {}): Promise<Opened> {
  const { body } = options
  const length =
    body === undefined ? [] : ([['content-length', `${Buffer.byteLength(body)}`]] as const)
  const { request, response } = begin(url, {
    ...options,
    headers: [...(options.headers ?? []), ...length],
  })
  request.end(body)
  return response
}

/** Sends a request and reads the whole response. */
export async function send(url: string, options: SendOptions = {}): Promise<Reply> {
  const response = await open(url, options)
  const bytes = await readAll(response)
  const text = bytes.toString()
  return { ...response, bytes, text, json: (): unknown => JSON.parse(text) }
}

/** All that is left of a body. */
export async function readAll(response: Opened): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let next = await response.next(); next !== undefined; next = await response.next()) {
    chunks.push(next)
  }
  return Buffer.concat(chunks)
}

/** Sends bytes as they are and reads until the other side closes. Ask for `connection: close`. */
export async function sendRaw(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(Buffer.from(request, 'latin1'))
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}

function opened(message: IncomingMessage): Opened {
  const { rawHeaders } = message
  const headers: (readonly [string, string])[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  }
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const all = (name: string): string[] =>
    headers.flatMap(([key, value]) => (key.toLowerCase() === name ? value : []))
  return {
    status: message.statusCode ?? 0,
    headers,
    all,
    header: (name) => (all(name).length === 0 ? undefined : all(name).join(', ')),
    async next() {
      const { done, value } = await chunks.next()
      return done ? undefined : value
    },
    leave: () => message.socket.resetAndDestroy(),
  }
}
