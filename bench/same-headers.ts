/** Both sides must do the same, or their times say nothing: one request each, compared line by line. */
import { deepStrictEqual } from 'node:assert'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { HEAD_PATH, requestHead, SMALL_PATH } from './traffic.ts'

/** @throws AssertionError with the difference, in what the upstream or in what the client sees */
export async function assertSameHeaders(gatewayPort: number, baselinePort: number): Promise<void> {
  const [gateway, baseline] = await Promise.all([seen(gatewayPort), seen(baselinePort)])
  deepStrictEqual(gateway, baseline)
}

async function seen(port: number): Promise<{ upstream: string[]; client: string[] }> {
  const upstream = await exchange(port, HEAD_PATH)
  const client = await exchange(port, SMALL_PATH)
  return { upstream: headerLines(upstream.body), client: headerLines(client.head) }
}

/** Values as they are; names in lower case and lines sorted, since neither has a meaning in HTTP. */
function headerLines(head: string): string[] {
  return head
    .split('\r\n')
    .map((line, index) =>
      index === 0 ? line : line.replace(/^[^:]*/, (name) => name.toLowerCase()),
    )
    .toSorted()
}

async function exchange(port: number, path: string): Promise<{ head: string; body: string }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(requestHead(path).replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))
  const answer = await text(socket)
  const end = answer.indexOf('\r\n\r\n')
  return { head: answer.slice(0, end), body: answer.slice(end + 4) }
}
