/**
 * A vm that fails under streams of other requests: wherever they are in it, each goes on whole, or is refused,
 * or is seen to be broken; nothing is cut short and looks whole.
 */
import { describe, expect, it, vi } from 'vitest'
import type { Plugin, PluginOptions } from '../../src/proxy-wasm/index.ts'
import { settled } from '../support/fake-time.ts'
import { type Machine, machine, probe, script } from '../support/machine.ts'

const pauseAt = (path: string): unknown => ({ call: 'return', action: 1, if: { path } })
const STEPS = script({
  request_headers: [
    { call: 'trap', kind: 'unreachable', if: { header: 'x-trap' } },
    pauseAt('/held-request'),
  ],
  request_body: [pauseAt('/held-request-body')],
  response_headers: [pauseAt('/held-response')],
  response_body: [pauseAt('/held-response-body')],
})

/** What one side got of a body: all its bytes, and whether it ended or broke off. */
interface Got {
  text: string
  end: 'whole' | 'broken' | 'open'
}

interface Stream {
  readonly response: Promise<Response>
  readonly upload: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
  /** What the upstream got of the request; undefined when it was not asked. */
  readonly uploaded: () => Got | undefined
  /** Lets the upstream answer; its body is the controller's. */
  readonly answer: () => ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text))

function controlled(): {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
} {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (one) => void (controller = one),
  })
  return { body, controller: controller as NonNullable<typeof controller> }
}

function collect(body: ReadableStream<Uint8Array> | Uint8Array | null): Got {
  const got: Got = { text: '', end: 'open' }
  const read = async (): Promise<void> => {
    try {
      const { body: stream } = new Response(body as BodyInit | null)
      for await (const chunk of stream ?? []) got.text += Buffer.from(chunk).toString()
      got.end = 'whole'
    } catch {
      got.end = 'broken'
    }
  }
  void read()
  return got
}

function begin(host: Machine, plugins: readonly Plugin[], path: string): Stream {
  const { body, controller: upload } = controlled()
  const reply = controlled()
  const answered = Promise.withResolvers<Response>()
  let uploaded: Got | undefined
  const response = host.send(plugins, {
    request: new Request(`http://shop.example${path}`, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit),
    upstream({ body: sent }) {
      uploaded = collect(sent)
      return answered.promise
    },
  })
  return {
    response,
    upload,
    uploaded: () => uploaded,
    answer() {
      answered.resolve(new Response(reply.body))
      return reply.controller
    },
  }
}

const finish = (controller: ReadableStreamDefaultController, text: string): void => {
  try {
    controller.enqueue(bytes(text))
    controller.close()
  } catch {
    // whoever read it has given up
  }
}

/** Where the stream is when the vm fails, and whether anything of its answer has gone out by then. */
const PLACES = [
  ['paused in request headers', '/held-request', 'before'],
  ['with half of its request sent', '/', 'before'],
  ['paused in its request body', '/held-request-body', 'before'],
  ['waiting for the upstream', '/waits', 'before'],
  ['paused in response headers', '/held-response', 'before'],
  ['with half of its response sent', '/answering', 'behind'],
  ['paused in its response body', '/held-response-body', 'behind'],
] as const

const NO_BUDGET = { percent: 0, minimum: 0 }
const STRATEGIES: readonly (readonly [string, Partial<PluginOptions>, 'open' | 'closed'])[] = [
  ['FAIL_CLOSE', { failStrategy: 'FAIL_CLOSE' }, 'closed'],
  ['FAIL_RELOAD', { failStrategy: 'FAIL_RELOAD' }, 'closed'],
  ['FAIL_OPEN', { failStrategy: 'FAIL_OPEN' }, 'open'],
  [
    'FAIL_OPEN beyond its budget',
    { failStrategy: 'FAIL_OPEN', failOpenBudget: NO_BUDGET },
    'closed',
  ],
]

describe.each(STRATEGIES)(
  '%s: a stream whose vm fails in another request',
  (name, options, becomes) => {
    it.each(PLACES)('%s', async (_place, path, answer) => {
      const host = machine()
      const plugin = await host.plugin({ module: probe(), configuration: STEPS, ...options })
      const stream = begin(host, [plugin], path)
      stream.upload.enqueue(bytes('up '))
      await settled()
      const asked = path !== '/held-request'
      if (asked) await vi.waitUntil(() => stream.uploaded() !== undefined)
      const uploading = path === '/' || path.includes('request')
      if (!uploading) finish(stream.upload, 'load')
      const download =
        path.includes('response') || path === '/answering' ? stream.answer() : undefined
      download?.enqueue(bytes('down '))
      await settled()
      const early = answer === 'behind' ? await stream.response : undefined
      const got = early && collect(early.body)
      await settled()

      const trap = new Request('http://shop.example/', { headers: { 'x-trap': '1' } })
      const trapped = await host.send([plugin], { request: trap })
      expect([trapped.status, plugin.state]).toEqual([becomes === 'open' ? 200 : 503, 'failed'])
      await settled()
      if (uploading) finish(stream.upload, 'load')
      if (becomes === 'open' && download === undefined) {
        await vi.waitUntil(() => stream.uploaded() !== undefined)
      }
      finish(download ?? stream.answer(), 'load')
      const response = await stream.response
      const downloaded = got ?? collect(response.body)
      await vi.waitUntil(() => downloaded.end !== 'open')

      if (becomes === 'open') {
        expect(response.status).toBe(200)
        const whole = download === undefined ? 'load' : 'down load'
        expect(downloaded).toEqual({ text: whole, end: 'whole' })
        await vi.waitUntil(() => stream.uploaded()?.end !== 'open')
        expect(stream.uploaded()).toEqual({ text: 'up load', end: 'whole' })
      } else if (answer === 'behind') {
        expect(downloaded.end).toBe('broken')
        expect('down '.startsWith(downloaded.text)).toBe(true)
      } else {
        const budget = name.includes('budget')
        expect([response.status, downloaded.end]).toEqual([503, 'whole'])
        if (budget) expect(downloaded.text).toContain('plugin.fail_open_budget')
        else expect(downloaded.text).toBe('')
        // an upstream that has seen half of a request must not take it for one
        if (uploading && asked) {
          await vi.waitUntil(() => stream.uploaded()?.end !== 'open')
          expect(stream.uploaded()?.end).toBe('broken')
        }
        if (!asked) expect(stream.uploaded()).toBeUndefined()
      }
      await vi.waitUntil(() => host.pool.contexts === 0)
      const { failedOpen, failedClosed, overBudget } = plugin.counts
      expect([failedOpen, failedClosed]).toEqual(becomes === 'open' ? [2, 0] : [0, 2])
      expect(overBudget).toBe(name.includes('budget') ? 2 : 0)
    })
  },
)
