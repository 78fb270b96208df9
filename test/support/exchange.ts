/** One request at the scripted origin, and the means to answer it. */
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import type { BodyTaker } from './request-parser.ts'

export type HeaderPairs = readonly (readonly [name: string, value: string])[]

export class Exchange implements BodyTaker {
  readonly method: string
  /** What stood behind the method: path and query. */
  readonly target: string
  /** The whole head as it came, one character for each byte. */
  readonly head: string
  /** In order, names in the case they came in. */
  readonly headers: HeaderPairs
  readonly socket: Socket
  /** Bytes of the body that have arrived. */
  received = 0
  /** The whole body has arrived. */
  complete = false
  /** Whether bytes are kept for `body`; a handler of a large body sets it to false. */
  keep = true
  upgraded = false
  readonly #chunks: Buffer[] = []
  readonly #moved: EventEmitter = new EventEmitter().setMaxListeners(0)

  constructor(socket: Socket, head: string) {
    this.socket = socket
    this.head = head
    const [first = '', ...lines] = head.split('\r\n')
    const [method = '', target = ''] = first.split(' ')
    this.method = method
    this.target = target
    this.headers = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    socket.setMaxListeners(0).once('close', () => this.#moved.emit('moved'))
  }

  data(bytes: Buffer): void {
    this.received += bytes.length
    if (this.keep) this.#chunks.push(Buffer.from(bytes))
    this.#moved.emit('moved')
  }

  end(): void {
    this.complete = true
    this.#moved.emit('moved')
  }

  /** The values of a header, in order. */
  all(name: string): string[] {
    return this.headers.flatMap(([key, value]) => (key.toLowerCase() === name ? value : []))
  }

  header(name: string): string | undefined {
    const values = this.all(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  /** The whole body, without chunk frames. */
  async body(): Promise<Buffer> {
    await this.until(() => this.complete)
    return Buffer.concat(this.#chunks)
  }

  /** Waits for something about the body or the connection. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#moved, 'moved')
  }

  /** Waits for the gateway to close the connection. */
  async closed(): Promise<void> {
    await this.until(() => this.socket.destroyed || this.socket.readableEnded)
  }

  /** Raw bytes of the answer, one for each character. */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** A whole answer with its length. No length is added where the headers have one. */
  reply(status: number, headers: HeaderPairs = [], body: string | Buffer = ''): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const length = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
      ? []
      : ([['content-length', `${bytes.length}`]] as const)
    this.#head(status, [...headers, ...length])
    if (bytes.length > 0) this.write(bytes)
  }

  /** The head of an answer in chunks. */
  start(status: number, headers: HeaderPairs = []): void {
    this.#head(status, [...headers, ['transfer-encoding', 'chunked']])
  }

  chunk(data: string | Buffer): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    this.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]))
  }

  /** The end of an answer in chunks. */
  finish(trailers: HeaderPairs = []): void {
    this.write(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  }

  /** Breaks the connection off. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  #head(status: number, headers: HeaderPairs): void {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
    this.write(`HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`)
  }
}

const CRLF = Buffer.from('\r\n')
