/** Both sides must do the same, or their times say nothing: one request each, compared line by line. */
import { deepStrictEqual } from 'node:assert'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { HEAD_PATH, requestHead, SMALL_PATH } from './traffic.ts'

const OK = 'HTTP/1.1 200 '

/** @throws AssertionError with the difference, in what the upstream or in what the client sees */
export async function assertSameHeaders(gatewayPort: number, baselinePort: number): Promise<void> {
  const [gateway, baseline] = await Promise.all([seen(gatewayPort), seen(baselinePort)])
  deepStrictEqual(gateway, baseline)
}

/** The header lines of one exchange, as the upstream and as the client sees them. */
export interface Seen {
  readonly upstream: readonly string[]
  readonly client: readonly string[]
}

/**
 * What plugins change, which must be the same in two gateways that have headers of their own to add.
 * @throws AssertionError with the difference
 */
export async function assertSameEdits(
  ours: { readonly without: number; readonly with: number },
  theirs: { readonly without: number; readonly with: number },
): Promise<void> {
  const [mine, other] = await Promise.all([edits(ours), edits(theirs)])
  deepStrictEqual(mine, other)
}

async function edits(ports: { readonly without: number; readonly with: number }): Promise<object> {
  const [before, after] = await Promise.all([seen(ports.without), seen(ports.with)])
  const changes = (of: (seen: Seen) => readonly string[]): object => ({
    gone: of(before).filter((line) => !of(after).includes(line) && !isClock(line)),
    come: of(after).filter((line) => !of(before).includes(line) && !isClock(line)),
  })
  return { upstream: changes(({ upstream }) => upstream), client: changes(({ client }) => client) }
}

/** Envoy says the time of each answer. */
const isClock = (line: string): boolean => line.startsWith('date:')

async function seen(port: number): Promise<Seen> {
  const upstream = await exchange(port, HEAD_PATH)
  const client = await exchange(port, SMALL_PATH)
  if (!client.head.startsWith(OK)) throw new Error(`${client.head}\n\n${client.body}`)
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
