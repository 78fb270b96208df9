import { describe, expect, it } from 'vitest'
import { settled } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import { callout, calls, on, PAUSE, playPlugins, reply } from '../support/play.ts'

const CHUNK = 1024

/** An endless body that counts what was asked of it. */
function endless() {
  const counted = { pulls: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        counted.pulls++
        controller.enqueue(new Uint8Array(CHUNK).fill(97))
      },
      cancel() {
        counted.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { counted, body }
}

const upload = (body: ReadableStream, headers: HeadersInit = {}): Request =>
  new Request('http://a.example/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

/** A body of `size` bytes in chunks. */
function sized(size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = size
  return new ReadableStream({
    pull(controller) {
      const chunk = new Uint8Array(Math.min(left, 65_000)).fill(97)
      left -= chunk.length
      controller.enqueue(chunk)
      if (left === 0) controller.close()
    },
  })
}

const quiet = (steps: object = {}): string => JSON.stringify({ steps })

describe('a large body', () => {
  it.each([undefined, '5000000'])('of length %s passes in chunks, whole', async (length) => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: quiet() })
    const headers: Record<string, string> = length === undefined ? {} : { 'content-length': length }
    let received = 0
    const response = await host.send([plugin], {
      request: upload(sized(5_000_000), headers),
      async upstream({ body }) {
        for await (const chunk of new Response(body).body ?? []) received += chunk.length
        return new Response(sized(5_000_000), { headers })
      },
    })
    expect((await response.arrayBuffer()).byteLength).toBe(5_000_000)
    expect(received).toBe(5_000_000)
    const chunks = on(host.lines(), 'response_body')
    expect(chunks.length).toBeGreaterThan(50)
    expect(chunks.at(-1)).toMatchObject({ end_of_stream: true })
    // of a known length the last byte brings the end; of an unknown one an empty chunk does
    expect(chunks.at(-1)?.['size']).toBe(length === undefined ? 0 : 5_000_000 % 65_000)
  })

  it('is not read faster than the client takes it', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: quiet() })
    const { counted, body } = endless()
    const response = await host.send([plugin], { upstream: () => new Response(body) })
    await settled()
    expect(counted.pulls).toBeLessThanOrEqual(1)
    const reader = response.body?.getReader()
    for (let i = 0; i < 5; i++) await reader?.read()
    await settled()
    expect(counted.pulls).toBeLessThanOrEqual(6)
    await reader?.cancel()
    expect([counted.cancelled, host.pool.contexts]).toEqual([true, 1])
  })

  it('is not read faster than the upstream takes it', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: quiet() })
    const { counted, body } = endless()
    await host.send([plugin], {
      request: upload(body),
      async upstream({ body: sent }) {
        const reader = (sent as ReadableStream).getReader()
        for (let i = 0; i < 5; i++) await reader.read()
        await settled()
        expect(counted.pulls).toBeLessThanOrEqual(6)
        await reader.cancel()
        return new Response('enough')
      },
    })
    expect(counted.cancelled).toBe(true)
  })

  it('is not read while its headers are held', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const host = machine({ callout: async () => (await promise, reply(200)) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'set_effective_context', issuer: true },
          { call: 'local_reply', status: 403 },
        ],
      }),
    })
    const { counted, body } = endless()
    const played = playPlugins(host, [plugin], { request: upload(body) })
    await settled()
    expect(counted.pulls).toBe(0)
    resolve()
    expect((await played).response.status).toBe(403)
  })

  it('that a plugin holds by Watermark is read up to its limit and no further', async () => {
    const host = machine({ callout: () => new Promise(() => undefined) })
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({ request_body: [{ call: 'return', action: 2 }] }),
      limits: { bodyBytes: 10 * CHUNK, pauseMs: 1_000 },
    })
    const { counted, body } = endless()
    const leave = new AbortController()
    const answered = host.send([plugin], {
      request: new Request(upload(body), { signal: leave.signal }),
      upstream: async ({ body: sent }) => {
        await new Response(sent).arrayBuffer().catch(() => undefined)
        return new Response('never')
      },
    })
    await settled()
    await settled()
    expect(counted.pulls).toBeLessThanOrEqual(11)
    leave.abort()
    await answered
    expect(host.pool.contexts).toBe(1)
  })

  it('that no plugin reads is the stream of the client, untouched', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe('headers-only'), configuration: quiet() })
    const request = upload(sized(100), { 'content-length': '100' })
    await host.send([plugin], {
      request,
      upstream({ body, headers }) {
        expect(body).toBe(request.body)
        expect(new Headers(headers).get('content-length')).toBe('100')
        return new Response()
      },
    })
  })
})

describe('chunks that a plugin edits', () => {
  it('leave while later ones have not come yet', async () => {
    const host = machine()
    const plugin = await host.plugin({
      module: probe(),
      configuration: script({
        response_body: [{ call: 'get_body' }, { call: 'set_body', start: 0, size: 0, value: '>' }],
      }),
    })
    let feed: ReadableStreamDefaultController | undefined
    const response = await host.send([plugin], {
      upstream: () => new Response(new ReadableStream({ start: (c) => void (feed = c) })),
    })
    const reader = response.body?.getReader()
    const next = async (): Promise<string> =>
      new TextDecoder().decode((await reader?.read())?.value)
    feed?.enqueue(new TextEncoder().encode('one'))
    expect(await next()).toBe('>one')
    feed?.enqueue(new TextEncoder().encode('two'))
    expect(await next()).toBe('>two')
    feed?.close()
    expect(await next()).toBe('>')
    expect(await reader?.read()).toMatchObject({ done: true })
    expect(calls(host.lines(), 'get_body').map((line) => line['value'])).toEqual([
      'one',
      'two',
      null,
    ])
  })
})
