import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { probe, script } from '../support/machine.ts'
import { calls, latin1, on, play, playChain } from '../support/play.ts'

/** As fetch hands it out where it decodes by itself: plain bytes, and headers that still say otherwise. */
const encoded = (coding: string, bytes: string | Uint8Array<ArrayBuffer> = 'plain'): Response =>
  new Response(bytes, { headers: { 'content-encoding': coding, 'content-length': '999' } })

describe('an encoded response', () => {
  it.each(['gzip', 'br', 'GZIP'])('%s is plain to a plugin that reads it', async (coding) => {
    const { body, response, lines } = await play(
      { response_headers: [{ call: 'get_pairs' }], response_body: [{ call: 'get_body' }] },
      { response: encoded(coding) },
    )
    expect(body).toBe('plain')
    expect(response.headers.has('content-encoding')).toBe(false)
    expect(response.headers.get('content-length')).not.toBe('999')
    const [pairs] = calls(lines, 'get_pairs')
    expect(JSON.stringify(pairs?.['pairs'])).not.toMatch(/content-(?:encoding|length)/)
    expect(calls(lines, 'get_body')[0]).toMatchObject({ value: 'plain' })
  })

  it('deflate is undone by the machine', async () => {
    const bytes = Uint8Array.from(deflateSync('was deflated'))
    const { body, lines } = await playChain(
      [{ configuration: script({ response_body: [{ call: 'get_body' }] }) }],
      { response: encoded('deflate', bytes), decoded: new Set(['gzip', 'br']) },
    )
    expect(body).toBe('was deflated')
    expect(calls(lines, 'get_body')[0]).toMatchObject({ value: 'was deflated' })
  })

  it('identity needs nothing', async () => {
    const { body } = await play({}, { response: encoded('identity') })
    expect(body).toBe('plain')
  })

  it('passes untouched where no plugin reads bodies', async () => {
    const bytes = Uint8Array.from([1, 2, 3, 255])
    const { body, response } = await play(
      { response_headers: [{ call: 'set_header', name: 'x-seen', value: '1' }] },
      {
        plugin: { module: probe('headers-only') },
        response: new Response(bytes, { headers: { 'content-encoding': 'zstd' } }),
      },
    )
    expect(body).toBe(latin1(bytes))
    expect(response.headers.get('content-encoding')).toBe('zstd')
    expect(response.headers.get('x-seen')).toBe('1')
  })

  it('is avoided: a body plugin asks the upstream for identity, and the plugins do not see that', async () => {
    const request = new Request('http://a.example/', { headers: { 'accept-encoding': 'br' } })
    const { sent, lines } = await play(
      { response_headers: [{ call: 'get_header', map: 'request', name: 'accept-encoding' }] },
      { request },
    )
    expect(sent?.headers.get('accept-encoding')).toBe('identity')
    expect(calls(lines, 'get_header')).toMatchObject([{ value: 'br' }])
    const without = await play({}, { request, plugin: { module: probe('headers-only') } })
    expect(without.sent?.headers.get('accept-encoding')).toBe('br')
  })
})

describe('a coding that nobody can undo', () => {
  it.each(['FAIL_CLOSE', 'FAIL_RELOAD'] as const)('is answered 502 under %s', async (strategy) => {
    const { response, body, lines } = await play(
      {},
      { response: encoded('zstd'), plugin: { failStrategy: strategy } },
    )
    expect([response.status, body]).toEqual([502, ''])
    expect(on(lines, 'response_body')).toEqual([])
  })

  it('passes by the readers that fail open, untouched', async () => {
    const { response, body, host } = await playChain(
      [
        { configuration: script({}), failStrategy: 'FAIL_OPEN' },
        {
          module: probe('headers-only'),
          configuration: script({
            response_headers: [{ call: 'set_header', name: 'x-seen', value: '1' }],
          }),
        },
      ],
      { response: encoded('zstd', 'bytes') },
    )
    expect([response.status, body]).toEqual([200, 'bytes'])
    expect(response.headers.get('content-encoding')).toBe('zstd')
    expect(response.headers.get('x-seen')).toBe('1')
    expect(on(host.lines('p1'), 'response_headers')).toEqual([])
    expect(on(host.lines('p1'), 'log')).toHaveLength(1)
  })

  it('is answered 502 when one of two readers does not fail open', async () => {
    const { response } = await playChain(
      [{ configuration: script({}), failStrategy: 'FAIL_OPEN' }, { configuration: script({}) }],
      { response: encoded('gzip, br') },
    )
    expect(response.status).toBe(502)
  })

  it('does not matter in a response without a body', async () => {
    const response = new Response(null, { headers: { 'content-encoding': 'zstd' } })
    expect((await play({}, { response })).response.status).toBe(200)
  })
})
