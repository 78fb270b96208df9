/** WebSockets by hand: what is said in the handshake can be looked at on both sides. */
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Exchange, HeaderPairs } from './exchange.ts'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Text frames below 126 bytes are all that is needed here. @param mask - clients must, servers must not */
function textFrame(text: string, mask: boolean): Buffer {
  const bytes = Buffer.from(text)
  const key = Buffer.from([1, 2, 3, 4])
  const head = Buffer.from([0x81, bytes.length | (mask ? 0x80 : 0)])
  if (!mask) return Buffer.concat([head, bytes])
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ (key[i % 4] ?? 0))])
}

const CLOSE = 8
const TEXT = 1

/** @returns the frames in `data` and how many bytes they take */
function readFrames(data: Buffer): { frames: { opcode: number; text: string }[]; used: number } {
  const frames: { opcode: number; text: string }[] = []
  let at = 0
  while (data.length >= at + 2) {
    const masked = ((data[at + 1] ?? 0) & 0x80) !== 0
    const length = (data[at + 1] ?? 0) & 0x7f
    const start = at + 2 + (masked ? 4 : 0)
    if (data.length < start + length) break
    const key = data.subarray(at + 2, at + 6)
    const bytes = Buffer.from(data.subarray(start, start + length))
    if (masked) for (let i = 0; i < length; i++) bytes[i] = (bytes[i] ?? 0) ^ (key[i % 4] ?? 0)
    frames.push({ opcode: (data[at] ?? 0) & 0x0f, text: bytes.toString() })
    at = start + length
  }
  return { frames, used: at }
}

/** Accepts an upgrade at the origin and echoes every text with `echo ` in front. */
export function acceptAndEcho(exchange: Exchange, headers: HeaderPairs = []): void {
  const key = exchange.header('sec-websocket-key') ?? ''
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  exchange.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${lines}\r\n`,
  )
  exchange.upgraded = true
  exchange.data = (data) => {
    for (const { opcode, text } of readFrames(data).frames) {
      if (opcode === TEXT) exchange.socket.write(textFrame(`echo ${text}`, false))
      if (opcode === CLOSE) exchange.socket.end(Buffer.from([0x88, 0]))
    }
  }
}

export interface WebSocketClient {
  /** The head of the answer to the handshake. */
  readonly head: string
  readonly socket: Socket
  send(text: string): void
  next(): Promise<string>
}

/** Asks for an upgrade. @returns when the head of the answer is there, whatever it says */
export async function openWebSocket(
  url: string,
  headers: HeaderPairs = [],
): Promise<WebSocketClient> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines}\r\n`,
  )
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let data: Buffer = Buffer.alloc(0)
  const more = async (): Promise<void> => {
    const { done, value } = await chunks.next()
    if (done) throw new Error('the connection was closed')
    data = Buffer.concat([data, value])
  }
  while (!data.includes('\r\n\r\n')) await more()
  const end = data.indexOf('\r\n\r\n')
  const head = data.subarray(0, end).toString('latin1')
  data = data.subarray(end + 4)
  const texts: string[] = []
  return {
    head,
    socket,
    send: (text) => void socket.write(textFrame(text, true)),
    async next() {
      for (;;) {
        const { frames, used } = readFrames(data)
        data = data.subarray(used)
        texts.push(...frames.flatMap(({ opcode, text }) => (opcode === TEXT ? text : [])))
        const text = texts.shift()
        if (text !== undefined) return text
        await more()
      }
    },
  }
}
