import { describe, expect, it } from 'vitest'
import { machine } from '../../support/machine.ts'
import { playPlugins } from '../../support/play.ts'
import { get, playShipped, refusal, shipped } from '../../support/shipped.ts'

const UUID7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const UUID4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

describe('request-id, a module of the ordinary Go compiler', () => {
  it('gives each request an id of its own and shows it to both sides', async () => {
    const host = machine()
    const plugin = await shipped(host, 'request-id', {})
    const ids = new Set<string | null | undefined>()
    for (let i = 0; i < 20; i++) {
      const { sent, response } = await playPlugins(host, [plugin])
      const id = sent?.headers.get('x-request-id')
      expect(id).toMatch(UUID7)
      expect(response.headers.get('x-request-id')).toBe(id)
      ids.add(id)
    }
    expect(ids.size).toBe(20)
    expect([plugin.state, host.pool.contexts]).toEqual(['running', 1])
  })

  it('takes over a valid one, and replaces others', async () => {
    const send = async (id: string, configuration: unknown = {}) =>
      (
        await playShipped('request-id', configuration, {
          request: get('/', { 'x-request-id': id }),
        })
      ).sent?.headers.get('x-request-id')
    expect(await send('order-7')).toBe('order-7')
    expect(await send('a b')).toMatch(UUID7)
    expect(await send('too-long', { max_length: 4 })).toMatch(UUID7)
    expect(await send('order-7', { trust_incoming: false, format: 'uuidv4' })).toMatch(UUID4)
  })

  it('uses the header it is told, and may leave the response alone', async () => {
    const { sent, response } = await playShipped('request-id', {
      header: 'x-trace',
      response: false,
    })
    expect(sent?.headers.get('x-trace')).toMatch(UUID7)
    expect([...response.headers.keys()]).not.toContain('x-trace')
  })

  it('survives being collected: a thousand requests', async () => {
    const host = machine()
    const plugin = await shipped(host, 'request-id', {})
    await playPlugins(host, [plugin])
    const before = host.pool.memoryBytes
    for (let i = 0; i < 1000; i++) await host.send([plugin])
    expect(plugin.state).toBe('running')
    expect(host.pool.memoryBytes).toBeLessThan(before * 2)
  })

  it.each([{ max_length: 0 }, { unknown: 1 }, { format: 'uuidv1' }])(
    'refuses %j',
    async (config) => {
      await expect(refusal('request-id', config)).resolves.toMatch(/^plugin\.configure_refused: \S/)
    },
  )
})
