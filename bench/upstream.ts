/**
 * The upstream, a process of its own: a raw socket server, since it shares a core with the load and
 * must not be what limits a proxy. Says its port over IPC; ends when its parent does.
 */
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { HEAD_PATH, LARGE_PATH, largeBody, RESPONSE_HEADERS, SMALL_BODY } from './traffic.ts'

const HEAD_END = '\r\n\r\n'

function response(body: string): Buffer {
  const headers = [
    ['content-type', 'application/json'],
    ['content-length', String(Buffer.byteLength(body))],
    ...RESPONSE_HEADERS,
  ].map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`HTTP/1.1 200 OK\r\n${headers.join('')}\r\n${body}`, 'latin1')
}

const small = response(SMALL_BODY)
const large = response(largeBody())

function answer(head: string): Buffer {
  const path = head.slice(head.indexOf(' ') + 1)
  if (path.startsWith(LARGE_PATH)) return large
  return path.startsWith(HEAD_PATH) ? response(head) : small
}

/** Requests of the benchmark have no body: a head that is complete is a request. */
function serve(socket: Socket): void {
  let pending = ''
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1')
    for (let end = pending.indexOf(HEAD_END); end >= 0; end = pending.indexOf(HEAD_END)) {
      socket.write(answer(pending.slice(0, end)))
      pending = pending.slice(end + HEAD_END.length)
    }
  })
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
