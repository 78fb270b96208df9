/** The shop on Node: `node examples/hono-middleware/node.ts`. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { shop } from './app.ts'

const wasm = new URL('../../plugins/header-policy/1.1.0.wasm', import.meta.url)
const app = shop(await WebAssembly.compile(await readFile(wasm)))
const port = Number(process.env['PORT'] ?? 8788)

// with `@hono/node-server` this is `serve({ fetch: app.fetch, port })`
const server = createServer((incoming, outgoing) => {
  const url = `http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  void Promise.resolve(app.fetch(new Request(url, { method: incoming.method ?? 'GET', headers })))
    .then(async (response) => {
      outgoing.writeHead(response.status, [...response.headers].flat())
      outgoing.end(Buffer.from(await response.arrayBuffer()))
    })
    .catch(() => outgoing.destroy())
})
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/api/items`))
