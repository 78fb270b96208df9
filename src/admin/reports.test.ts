/** Who may send reports, and what is taken for one. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Report } from '../observe/index.ts'
import { adminApi } from './api.ts'
import type { AdminPorts } from './ports.ts'
import { parseReport } from './report-request.ts'

const ONE = 'the-first-of-the-tokens'
const TWO = 'the-second-of-the-tokens'
const HASHED = `sha256:${createHash('sha256').update(TWO).digest('hex')}`

const REPORT: Report = {
  node: 'store-1',
  isolate: 'abcdefgh-1234',
  sequence: 1,
  labels: { ring: '1' },
  revision: 3,
  snapshot: 'ab',
  issuedAt: null,
  refusals: [{ code: 'plugin.trap', message: 'x', at: 't', revision: 3, plugin: 'p' }],
  plugins: [{ plugin: 'p', state: 'failed', reason: 'y' }],
  rolloutsVersion: 2,
  rolloutsPublisher: 'a-controller',
  metrics: [
    { kind: 'counter', name: 'seen', labels: 'a="b",c="d\\"\\\\\\n,="', value: 2 },
    { kind: 'gauge', name: 'level', labels: '', value: -1.5 },
    { kind: 'histogram', name: 'ms', labels: '', count: 2, sum: 3.5, buckets: [0, 1, 2] },
  ],
}

function hub(reportTokens: string | undefined, bound = true) {
  const taken: Report[] = []
  const ports: Partial<AdminPorts> = {
    status: () => Promise.resolve({}),
    ...(bound && {
      reports: {
        take(body: unknown) {
          const parsed = parseReport(body)
          if ('wrong' in parsed) return Promise.resolve(parsed)
          taken.push(parsed.report)
          return Promise.resolve({ acknowledged: parsed.report.sequence, active: null })
        },
      },
    }),
  }
  const api = adminApi({
    token: 'the token that writes',
    reportTokens,
    clientAddress: (request) => request.headers.get('from') ?? undefined,
    ports: ports as AdminPorts,
  })
  const ask = async (
    token: string | undefined,
    body: string = JSON.stringify(REPORT),
    path = '/-/reports',
  ) => {
    const headers = { from: '192.0.2.1', ...(token && { authorization: `Bearer ${token}` }) }
    const response = await api.request(path, { method: 'POST', headers, body })
    const answer = (await response.json()) as { error?: { code: string } }
    return [response.status, answer.error?.code ?? answer] as const
  }
  return { ask, taken }
}

afterEach(() => void vi.restoreAllMocks())

describe('reports over HTTP', () => {
  it('are taken with any of the tokens, plain or as digests', async () => {
    const { ask, taken } = hub(`${ONE} ${HASHED}`)
    expect(await ask(ONE)).toEqual([200, { acknowledged: 1, active: null }])
    expect(await ask(TWO)).toEqual([200, { acknowledged: 1, active: null }])
    expect(taken).toEqual([REPORT, REPORT])
  })

  it.each([
    ['none', undefined, 401, 'admin.unauthorized'],
    ['another one', 'some other token, that is long', 401, 'admin.unauthorized'],
    ['the one that writes', 'the token that writes', 401, 'admin.unauthorized'],
    ['the digest', HASHED, 401, 'admin.unauthorized'],
  ])('are not with %s', async (_, token, status, code) => {
    expect(await hub(`${ONE}, ${HASHED}`).ask(token)).toEqual([status, code])
  })

  it('are off where no token is set, and where nobody takes them in', async () => {
    expect(await hub(undefined).ask(ONE)).toEqual([403, 'report.off'])
    expect(await hub('').ask('')).toEqual([403, 'report.off'])
    expect(await hub(ONE, false).ask(ONE)).toEqual([503, 'report.off'])
  })

  it('are not taken with a token that could be guessed, which the log says without it', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { ask } = hub(`short ${ONE} sha256:12`)
    expect(await ask('short')).toEqual([401, 'admin.unauthorized'])
    expect(await ask(ONE)).toMatchObject([200, {}])
    expect(log.mock.calls.flat().join()).toMatch(/REPORT_TOKENS: .*20 characters/)
    expect(log.mock.calls.flat().join()).not.toContain('short')
  })

  it('come through from an address from which wrong tokens come, and lock nobody out of the rest', async () => {
    const { ask } = hub(ONE)
    const answers: unknown[] = []
    for (let i = 0; i < 12; i += 1) answers.push((await ask('wrong'))[0])
    expect(answers.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401))
    expect(answers.slice(10)).toEqual([429, 429])
    for (let i = 0; i < 1_000; i += 1) expect((await ask(ONE))[0]).toBe(200)
    // an operator behind the same address
    expect((await ask('the token that writes', '', '/-/nothing'))[0]).toBe(404)
  })

  it('open nothing else', async () => {
    expect(await hub(ONE).ask(ONE, '', '/-/apply')).toEqual([401, 'admin.unauthorized'])
  })

  it('that are too large are refused, whatever length they say', async () => {
    expect(await hub(ONE).ask(ONE, ' '.repeat(1_600_000))).toEqual([413, 'report.too_large'])
  })
})

describe('what is no report', () => {
  const [counter, , histogram] = REPORT.metrics
  it.each<readonly [string, unknown, RegExp]>([
    ['nothing', undefined, /the body/],
    ['a list', [], /the body|node/],
    ['no number', { ...REPORT, sequence: 0 }, /sequence/],
    ['an isolate with spaces', { ...REPORT, isolate: 'a b c d e f' }, /isolate/],
    ['no node', { ...REPORT, node: '' }, /node/],
    ['a long node', { ...REPORT, node: 'x'.repeat(401) }, /node/],
    ['labels that are none', { ...REPORT, labels: { a: 1 } }, /labels/],
    [
      'too many labels',
      { ...REPORT, labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, ''])) },
      /labels/,
    ],
    [
      'a counter that goes back',
      { ...REPORT, metrics: [{ ...counter, value: -1 }] },
      /metrics.0.value/,
    ],
    [
      'a value that is none',
      { ...REPORT, metrics: [{ ...counter, value: null }] },
      /metrics.0.value/,
    ],
    ['a name that breaks a line', { ...REPORT, metrics: [{ ...counter, name: 'a\nb' }] }, /name/],
    [
      'labels that break a line',
      { ...REPORT, metrics: [{ ...counter, labels: 'a="b\nc"' }] },
      /labels/,
    ],
    [
      'labels that end early',
      { ...REPORT, metrics: [{ ...counter, labels: 'a="b"} 1' }] },
      /labels/,
    ],
    ['a kind that is none', { ...REPORT, metrics: [{ ...counter, kind: 'x' }] }, /kind/],
    ['half a histogram', { ...REPORT, metrics: [{ ...histogram, count: 1.5 }] }, /count/],
    ['too many series', { ...REPORT, metrics: Array(20_001).fill(counter) }, /metrics/],
    ['a version that is none', { ...REPORT, rolloutsVersion: '1' }, /rolloutsVersion/],
    ['a publisher that is none', { ...REPORT, rolloutsPublisher: 1 }, /rolloutsPublisher/],
  ])('%s', (_, body, wrong) => {
    expect(parseReport(body)).toMatchObject({ wrong: expect.stringMatching(wrong) as string })
  })

  it('is not what a newer or an older Postern sends', () => {
    const { node, isolate, sequence, revision, snapshot, refusals, metrics } = REPORT
    const old = { node, isolate, sequence, revision, snapshot, refusals, metrics }
    expect(parseReport(old)).toEqual({ report: old })
    expect(parseReport({ ...REPORT, news: { of: 'a kind' } })).toEqual({ report: REPORT })
  })
})
