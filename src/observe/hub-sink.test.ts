/** Reports over HTTP: where they may go, and that nothing but a reply counts as one. */
import { describe, expect, it } from 'vitest'
import { hubSink } from './hub-sink.ts'
import type { Report } from './report.ts'
import { ReportRefused } from './report-refused.ts'

const TOKEN = 'secret-secret-secret'
const REPORT: Report = {
  node: 'store-1',
  isolate: 'abcdefgh',
  sequence: 3,
  revision: 1,
  snapshot: null,
  refusals: [],
  metrics: [],
}
const REPLY = { acknowledged: 3, active: { revision: 2, snapshot: 'ab' } }

function sink(answer: () => Response | Promise<Response>, url = 'https://hub.example') {
  const sent: { readonly url: string; readonly init: RequestInit }[] = []
  const lines: string[] = []
  const { send } = hubSink({
    url,
    token: TOKEN,
    log: (line) => void lines.push(line),
    async fetch(to, init) {
      sent.push({ url: to, init })
      return answer()
    },
  })
  return { send: () => send(REPORT), sent, lines }
}

describe('where reports may go', () => {
  it.each([
    ['https://hub.example', 'https://hub.example/-/reports'],
    ['https://hub.example/', 'https://hub.example/-/reports'],
    ['https://hub.example/base/', 'https://hub.example/base/-/reports'],
    ['http://127.0.0.1:8787', 'http://127.0.0.1:8787/-/reports'],
    ['http://localhost:8787', 'http://localhost:8787/-/reports'],
    ['http://[::1]:8787', 'http://[::1]:8787/-/reports'],
  ])('%s', async (url, address) => {
    const { send, sent } = sink(() => Response.json(REPLY), url)
    expect(await send()).toEqual(REPLY)
    expect(sent[0]?.url).toBe(address)
    expect(sent[0]?.init).toMatchObject({ method: 'POST', redirect: 'manual' })
    expect(JSON.parse(String(sent[0]?.init.body))).toEqual(REPORT)
  })

  it.each([
    ['http://hub.example', 'https'],
    ['http://127.0.0.1.example', 'https'],
    ['http://localhost.example', 'https'],
    ['ftp://hub.example', 'https'],
    ['hub.example', 'no URL'],
    [`https://user:${TOKEN}@hub.example`, 'more than'],
    [`https://hub.example?token=${TOKEN}`, 'more than'],
  ])('not %s', (url, why) => {
    const make = (): unknown =>
      hubSink({ url, token: TOKEN, log: () => undefined, fetch: () => Promise.reject() })
    expect(make).toThrow(why)
    expect(make).not.toThrow(TOKEN)
  })

  it('nowhere without a token', () => {
    const url = 'https://hub.example'
    const make = (): unknown =>
      hubSink({ url, token: '', log: () => undefined, fetch: () => Promise.reject() })
    expect(make).toThrow('HUB_TOKEN')
  })
})

describe('an answer', () => {
  const json =
    (value: unknown, status = 200) =>
    () =>
      Response.json(value, { status })

  it('may carry rollouts', async () => {
    const reply = { ...REPLY, active: null, rollouts: { version: 4, rollouts: {}, kills: [] } }
    expect(await sink(json(reply)).send()).toEqual(reply)
  })

  it.each<readonly [string, () => Response]>([
    ['a page', () => new Response('<html>')],
    ['nothing', () => new Response(null)],
    ['null', json(null)],
    ['no number', json({ ...REPLY, acknowledged: '3' })],
    ['an older number', json({ ...REPLY, acknowledged: 2 })],
    ['an active that is none', json({ ...REPLY, active: {} })],
    ['no active', json({ acknowledged: 3 })],
    ['rollouts that are none', json({ ...REPLY, rollouts: 'x' })],
    ['rollouts without a version', json({ ...REPLY, rollouts: {} })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://x' } })],
    ['a failure', json(REPLY, 500)],
    ['too much', () => new Response(`${' '.repeat(1024 * 1024)}${JSON.stringify(REPLY)}`)],
  ])('that is %s is none, and the batch is kept', async (_, answer) => {
    const failed = await sink(answer)
      .send()
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(failed).toBeInstanceOf(Error)
    expect(failed).not.toBeInstanceOf(ReportRefused)
  })

  it.each(['report.invalid', 'report.too_large'])('of %s gives the batch up', async (code) => {
    const { send, lines } = sink(json({ error: { code } }, 400))
    await expect(send()).rejects.toBeInstanceOf(ReportRefused)
    expect(lines).toEqual([
      `the hub https://hub.example does not take reports: it answered 400 ${code}`,
    ])
  })
})

it('a hub that goes and comes is logged once each, without the token', async () => {
  let up = false
  const { send, lines } = sink(() => {
    if (up) return Response.json(REPLY)
    throw new TypeError('connection refused')
  })
  for (let i = 0; i < 3; i += 1) await expect(send()).rejects.toThrow()
  up = true
  for (let i = 0; i < 3; i += 1) await send()
  expect(lines).toEqual([
    'the hub https://hub.example does not take reports: connection refused',
    'the hub https://hub.example takes reports again',
  ])
  expect(lines.join()).not.toContain(TOKEN)
})
