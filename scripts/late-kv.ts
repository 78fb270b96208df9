/** KV on loopback that shows the key `rollouts` late, or never: what a place may see that KV has not reached yet. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LateKv {
  /** As workerd's `external` takes it. */
  readonly address: string
  stop(): Promise<void>
}

interface Written {
  readonly at: number
  readonly value: Buffer
}

/** @param lateMs - how old what is shown of `rollouts` is; Infinity: nothing is ever shown */
export async function lateKv(lateMs: number): Promise<LateKv> {
  const values = new Map<string, Written[]>()
  const server = createServer((request, response) => {
    const key = decodeURIComponent(new URL(request.url ?? '/', 'http://kv').pathname.slice(1))
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const written = values.get(key) ?? []
      if (request.method === 'PUT') {
        values.set(key, [...written, { at: Date.now(), value: Buffer.concat(chunks) }])
        response.writeHead(204).end()
        return
      }
      const seen = Date.now() - (key === 'rollouts' ? lateMs : 0)
      const shown = written.findLast(({ at }) => at <= seen)
      if (shown === undefined) response.writeHead(404).end()
      else response.writeHead(200).end(shown.value)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
