/** Ports of loopback that nobody listens on now, below those that the system gives to clients. */
import { createServer, type Server } from 'node:net'

const FROM = 16_000
const TO = 32_000

/** @throws when there are not so many */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  const first = FROM + Math.floor(Math.random() * (TO - FROM))
  for (let i = 0; i < TO - FROM && ports.length < count; i++) {
    const port = FROM + ((first - FROM + i) % (TO - FROM))
    const server = await listen(port)
    if (server === undefined) continue
    await new Promise((resolve) => server.close(resolve))
    ports.push(port)
  }
  if (ports.length < count) throw new Error(`there are no ${count} free ports`)
  return ports
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
