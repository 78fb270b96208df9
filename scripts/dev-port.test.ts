import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { devPort, refuseBusyPort } from './dev-port.ts'

describe('the port of npm start', () => {
  it.each([
    [undefined, 8787],
    ['', 8787],
    ['9000', 9000],
  ])('is, with PORT %j, %i', (text, port) => {
    expect(devPort(text)).toBe(port)
  })

  it.each(['shop', '0', '65536', '87.5', '-1'])('is not %j', (text) => {
    expect(() => devPort(text)).toThrow(`PORT is "${text}", which is no port`)
  })
})

describe('a port that something listens on', () => {
  const server = createServer()
  let port: number
  beforeEach(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    ;({ port } = server.address() as AddressInfo)
  })
  afterEach(() => void server.close())

  it('is refused with its number and another one to choose', async () => {
    const refused = refuseBusyPort(port)
    await expect(refused).rejects.toThrow(`Port ${port} cannot be had on 127.0.0.1: something else`)
    await expect(refused).rejects.toThrow(`PORT=${port + 1} npm start`)
  })

  it('is free when it has gone, and stays so', async () => {
    await new Promise((resolve) => server.close(resolve))
    await refuseBusyPort(port)
    await refuseBusyPort(port)
  })
})
