/**
 * KV and the Cache API as workerd reaches them over HTTP, held by a real server that tests break: values of
 * any bytes, and for each key a fault that may come and go.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** What becomes of one read. A number is a delay in milliseconds before the right answer. */
export type Fault =
  | 'sound'
  /** 500, as KV answers when it fails. */
  | 'error'
  /** The connection breaks in the middle of the value. */
  | 'cut'
  /** No answer, ever. */
  | 'silent'
  /** Nobody there. */
  | 'refused'
  /** Another value: an old one, such as a replica may have. */
  | { readonly instead: string | Buffer }
  | number

/** What becomes of one write. */
export type WriteFault =
  | 'sound'
  /** Nothing is kept, and whoever writes is told so. */
  | 'error'
  /** Nothing is kept, and nobody hears of it. */
  | 'lost'
  /** It is kept, and nobody hears of it. */
  | 'unheard'

export interface BrokenStore {
  /** As workerd's `external` takes it. */
  readonly address: string
  readonly values: Map<string, string | Buffer>
  /** The keys that were asked for, in order. */
  readonly reads: string[]
  /** Asked for each read. */
  fault: (key: string) => Fault
  /** Asked for each write. */
  writeFault: (key: string) => WriteFault
  /** No faults, and no values. */
  heal(): void
  stop(): Promise<void>
}

/** Starts a KV on loopback. */
export async function brokenKv(): Promise<BrokenStore> {
  return startStore((request) => {
    const { pathname } = new URL(request.url ?? '/', 'http://kv')
    return { key: decodeURIComponent(pathname.slice(1)), missing: 404 }
  })
}

/** Starts a cache on loopback; its values are HTTP responses as they came. */
export async function brokenCache(): Promise<BrokenStore> {
  return startStore((request) => ({
    key: `${request.headers.host}${request.url}`,
    missing: 504,
  }))
}

type Asked = (request: IncomingMessage) => { readonly key: string; readonly missing: number }

async function startStore(asked: Asked): Promise<BrokenStore> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { key, missing } = asked(request)
      if (request.method === 'PUT') {
        const fault = store.writeFault(key)
        if (fault === 'error') return void response.writeHead(500).end()
        if (fault !== 'lost') store.values.set(key, Buffer.concat(chunks))
        if (fault === 'sound') response.writeHead(204).end()
        return
      }
      store.reads.push(key)
      answer(response, store.values.get(key), store.fault(key), missing)
    })
  })
  const sound = (): 'sound' => 'sound'
  const store: BrokenStore = {
    address: `127.0.0.1:${await listen(server)}`,
    values: new Map(),
    reads: [],
    fault: sound,
    writeFault: sound,
    heal() {
      store.fault = sound
      store.writeFault = sound
      store.values.clear()
      store.reads.length = 0
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return store
}

function answer(
  response: ServerResponse,
  value: string | Buffer | undefined,
  fault: Fault,
  missing: number,
): void {
  if (fault === 'silent') return
  if (fault === 'refused') return void response.destroy()
  if (fault === 'error') return void response.writeHead(500).end()
  if (typeof fault === 'number') {
    setTimeout(() => answer(response, value, 'sound', missing), fault)
    return
  }
  const shown = typeof fault === 'object' ? fault.instead : value
  if (shown === undefined) return void response.writeHead(missing).end()
  const bytes = Buffer.from(shown)
  if (fault === 'cut') {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
    return
  }
  // the cache keeps whole responses
  if (missing === 504) response.socket?.end(asHit(bytes))
  else response.writeHead(200).end(bytes)
}

/** A stored response as the cache gives it back. */
function asHit(stored: Buffer): Buffer {
  const end = stored.indexOf('\r\n') + 2
  const hit = Buffer.from('CF-Cache-Status: HIT\r\nConnection: close\r\n')
  return Buffer.concat([stored.subarray(0, end), hit, stored.subarray(end)])
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
