import { describe, expect, it } from 'vitest'
import { machine } from '../../support/machine.ts'
import { chunked, playPlugins, post } from '../../support/play.ts'
import { get, playShipped, refusal, shipped } from '../../support/shipped.ts'

const TEXT = { 'content-type': 'text/plain' }
const respond = (body: string | readonly string[], headers: object = TEXT): Response =>
  new Response(typeof body === 'string' ? body : chunked(...body), { headers: { ...headers } })

const mask = async (body: string | readonly string[], headers?: object, config: object = {}) =>
  (await playShipped('mask-card-numbers', config, { response: respond(body, headers) })).body

describe('mask-card-numbers', () => {
  it.each([
    ['paid by 4111 1111 1111 1111.', 'paid by **** **** **** 1111.'],
    ['{"card":"5500-0000-0000-0004"}', '{"card":"****-****-****-0004"}'],
    ['order 1234567890123', 'order 1234567890123'],
    ['4111111111111112', '4111111111111112'],
    ['no digits at all', 'no digits at all'],
  ])('%s', async (body, expected) => {
    expect(await mask(body)).toBe(expected)
  })

  it('keeps JSON numbers numbers', async () => {
    const json = { 'content-type': 'application/json' }
    expect(await mask('{"card":4111111111111111}', json)).toBe('{"card":9999999999991111}')
  })

  it('finds a number split over any chunk boundary', async () => {
    const text = 'a 4111 1111 1111 1111 b 5500000000000004 c'
    const expected = 'a **** **** **** 1111 b ************0004 c'
    const host = machine()
    const plugin = await shipped(host, 'mask-card-numbers', {})
    for (let at = 1; at < text.length; at++) {
      const response = respond([text.slice(0, at), text.slice(at)])
      const { body } = await playPlugins(host, [plugin], { response })
      expect(body, `split at ${at}`).toBe(expected)
    }
  })

  it('finds one that comes byte by byte, and lets everything else flow', async () => {
    const text = 'card 4111-1111-1111-1111, thanks'
    const expected = 'card ****-****-****-1111, thanks'
    expect(await mask([...text])).toBe(expected)
    const host = machine()
    const plugin = await shipped(host, 'mask-card-numbers', {})
    let feed: ReadableStreamDefaultController | undefined
    const response = await host.send([plugin], {
      upstream: () =>
        new Response(new ReadableStream({ start: (c) => void (feed = c) }), { headers: TEXT }),
    })
    const reader = response.body?.getReader()
    feed?.enqueue(new TextEncoder().encode('streams on, 4111'))
    const first = await reader?.read()
    expect(new TextDecoder().decode(first?.value)).toMatch(/^streams on/)
    feed?.enqueue(new TextEncoder().encode('111111111111 end'))
    feed?.close()
    let rest = ''
    for (;;) {
      const next = await reader?.read()
      if (!next || next.done) break
      rest += new TextDecoder().decode(next.value)
    }
    expect(rest).toMatch(/1111 end$/)
    expect(rest).not.toContain('41111')
  })

  it('masks a megabyte in chunks, each number once', async () => {
    const line = `${'x'.repeat(983)} 4111111111111111\n`
    const parts = Array.from({ length: 16 }, () => line.repeat(65))
    const body = await mask(parts)
    expect(body).toHaveLength(parts.join('').length)
    expect(body).not.toContain('4111111111111111')
    expect(body.split('************1111')).toHaveLength(16 * 65 + 1)
  })

  it('leaves requests alone unless it is asked to', async () => {
    const request = (): Request => post('4111111111111111', TEXT)
    const left = await playShipped('mask-card-numbers', {}, { request: request() })
    expect(left.sent?.body).toBe('4111111111111111')
    const both = await playShipped(
      'mask-card-numbers',
      { direction: 'both' },
      { request: request() },
    )
    expect(both.sent?.body).toBe('************1111')
  })

  it('passes other types and encoded bodies unread', async () => {
    const card = '4111111111111111'
    expect(await mask(card, { 'content-type': 'image/png' })).toBe(card)
    // chunks, since a text would bring its own content-type
    expect(await mask([card], {})).toBe(card)
    expect(await mask(card, { ...TEXT, 'content-encoding': 'identity' })).toBe('************1111')
  })

  it('asks the upstream for plain answers', async () => {
    const { sent } = await playShipped(
      'mask-card-numbers',
      {},
      {
        request: get('/', { 'accept-encoding': 'br' }),
      },
    )
    expect(sent?.headers.get('accept-encoding')).toBe('identity')
  })

  it('sends the length of what it made, or none', async () => {
    const answer = respond('4111111111111111', { ...TEXT, 'content-length': '16' })
    const { response } = await playShipped('mask-card-numbers', {}, { response: answer })
    expect(['16', null]).toContain(response.headers.get('content-length'))
  })

  it.each([{ keep_last: 7 }, { direction: 'sideways' }, { mask: '**' }, { unknown: 1 }])(
    'refuses %j',
    async (configuration) => {
      await expect(refusal('mask-card-numbers', configuration)).resolves.toMatch(
        /^plugin\.configure_refused: \S/,
      )
    },
  )
})
