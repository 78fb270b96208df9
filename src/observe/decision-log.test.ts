import { describe, expect, it } from 'vitest'
import { type Decision, HeaderMap, pluginSpec } from '../proxy-wasm/index.ts'
import type { LoadedModule } from '../proxy-wasm/index.ts'
import { DecisionLog, LINES_PER_SECOND, SHOWN_HEADERS } from './decision-log.ts'
import { Counter } from './metric.ts'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')
const module = { sha256: 'ab'.repeat(32) } as LoadedModule

interface Told {
  readonly lines: Record<string, unknown>[]
  readonly dropped: Counter
  readonly clock: { now: number }
  tell(decision: Decision, about?: About): void
}

interface About {
  readonly sampling?: number
  readonly mask?: readonly string[]
  readonly logOnly?: boolean
  readonly request?: readonly string[]
  /** The same for decisions about one request. */
  readonly io?: { waitUntil(): void; gone: boolean }
}

function log(): Told {
  const lines: Record<string, unknown>[] = []
  const dropped = new Counter()
  const clock = { now: NOW }
  const decisions = new DecisionLog({
    write: (line) => lines.push(JSON.parse(line)),
    revision: () => 7,
    versionOf: (sha256) => (sha256 === module.sha256 ? '1.2.0' : undefined),
    dropped,
    now: () => clock.now,
  })
  return {
    lines,
    dropped,
    clock,
    tell(decision, { sampling = 100, mask = [], logOnly = true, request, io } = {}) {
      decisions.decided({
        ...decision,
        plugin: pluginSpec({
          name: 'default.waf',
          module,
          decisions: { sampling, mask },
          ...(logOnly && { logOnly: { callouts: 'run' } }),
        }),
        info: { startTime: 0n, routeName: 'default/shop' },
        request: request && new HeaderMap([...request]),
        io: io ?? { waitUntil: () => undefined, gone: false },
      })
    },
  }
}

it('a line says when, who, where and what, and nothing that is not so', () => {
  const { lines, tell } = log()
  const details = 'sql_injection'
  const headers = [{ name: 'x-rule', before: undefined, after: ['17'] }]
  tell(
    { class: 'local-reply', status: 403, details, headers, bytes: { before: 0, after: 6 } },
    { request: ['x-request-id', 'r-1', 'traceparent', '00-1-2-01', 'authorization', 'Bearer s3'] },
  )
  tell({ class: 'trap', details: 'unreachable' }, { logOnly: false })
  expect(lines).toEqual([
    {
      time: '2026-11-21T12:00:00.000Z',
      decision: 'local-reply',
      plugin: 'default.waf',
      version: '1.2.0',
      mode: 'log-only',
      revision: 7,
      route: 'default/shop',
      status: 403,
      details: 'sql_injection',
      added: { 'x-rule': '***' },
      bytes: { before: 0, after: 6 },
      requestId: 'r-1',
      traceparent: '00-1-2-01',
    },
    {
      time: '2026-11-21T12:00:00.000Z',
      decision: 'trap',
      plugin: 'default.waf',
      version: '1.2.0',
      mode: 'enforce',
      failStrategy: 'FAIL_CLOSE',
      revision: 7,
      route: 'default/shop',
      details: 'unreachable',
    },
  ])
})

describe('values of headers', () => {
  const change = (name: string, before?: string, after?: string): Decision => ({
    class: 'request-headers',
    headers: [
      {
        name,
        before: before === undefined ? undefined : [before],
        after: after === undefined ? undefined : [after],
      },
    ],
  })

  it.each([
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'x-anything',
    'location',
    ':path',
    ':authority',
    'referer',
    'x-forwarded-for',
  ])('of %s are never written', (name) => {
    const { lines, tell } = log()
    tell(change(name, 'old-s3cret', 'new-s3cret'))
    expect(lines[0]).toMatchObject({ changed: { [name]: '***' } })
    expect(JSON.stringify(lines)).not.toContain('s3cret')
  })

  it('are written for those that tell what kind of message it is', () => {
    for (const name of SHOWN_HEADERS) {
      const { lines, tell } = log()
      tell(change(name, 'a', 'b'))
      expect(lines[0]).toMatchObject({ changed: { [name]: 'b' } })
    }
  })

  it('are not, where the policy masks them', () => {
    const { lines, tell } = log()
    tell(change('content-type', 'a', 'b'), { mask: ['content-type'] })
    expect(lines[0]).toMatchObject({ changed: { 'content-type': '***' } })
  })

  it('that go are told by the name alone', () => {
    const { lines, tell } = log()
    tell(change('content-type', 'text/plain'))
    expect(lines[0]).toMatchObject({ removed: ['content-type'] })
    expect(lines[0]).not.toHaveProperty('changed')
  })

  it('are told line by line where there are several, and fifty names at the most', () => {
    const { lines, tell } = log()
    const many = Array.from({ length: 80 }, (_, i) => ({
      name: `x-${i}`,
      before: undefined,
      after: ['a', 'b'],
    }))
    tell({ class: 'response-headers', headers: many })
    const { added } = lines[0] as { added: Record<string, unknown> }
    expect([Object.keys(added).length, added['x-0']]).toEqual([50, ['***', '***']])
  })

  it('a name like that of a member of every object is one like any other', () => {
    const { lines, tell } = log()
    tell(change('__proto__', undefined, 'x'))
    expect(Object.keys((lines[0] as { added: object }).added)).toEqual(['__proto__'])
  })
})

it('texts of plugins and clients are cut', () => {
  const { lines, tell } = log()
  tell(
    { class: 'reset', details: 'd'.repeat(5_000) },
    { request: ['x-request-id', 'r'.repeat(5_000)] },
  )
  expect([String(lines[0]?.['details']).length, String(lines[0]?.['requestId']).length]).toEqual([
    300, 300,
  ])
})

it('a line break in a text cannot begin another line', () => {
  const { lines, tell } = log()
  tell({ class: 'trap', details: 'one\n{"decision":"local-reply"}' })
  expect(lines).toHaveLength(1)
})

describe('sampling', () => {
  it('takes a share of requests', () => {
    const { lines, tell, clock } = log()
    for (let i = 0; i < 4_000; i++) {
      clock.now += 1_000
      tell({ class: 'reset' }, { sampling: 25 })
    }
    expect(lines.length).toBeGreaterThan(800)
    expect(lines.length).toBeLessThan(1_200)
  })

  it('of 0 takes none, and of 100 all', () => {
    const { lines, tell } = log()
    for (let i = 0; i < 50; i++) tell({ class: 'reset' }, { sampling: 0 })
    for (let i = 0; i < 50; i++) tell({ class: 'reset' }, { sampling: 100 })
    expect(lines).toHaveLength(50)
  })

  it('takes all decisions about one request, or none', () => {
    for (let i = 0; i < 100; i++) {
      const { lines, tell } = log()
      const io = { waitUntil: () => undefined, gone: false }
      for (let n = 0; n < 5; n++) tell({ class: 'reset' }, { sampling: 50, io })
      expect([0, 5]).toContain(lines.length)
    }
  })
})

describe('a flood', () => {
  it('is cut off in each second, and what was dropped is counted', () => {
    const { lines, tell, clock, dropped } = log()
    for (let i = 0; i < LINES_PER_SECOND + 30; i++) tell({ class: 'local-reply', status: 403 })
    expect([lines.length, dropped.value]).toEqual([LINES_PER_SECOND, 30])
    clock.now += 1_000
    tell({ class: 'local-reply', status: 403 })
    expect([lines.length, dropped.value]).toEqual([LINES_PER_SECOND + 1, 30])
  })

  it('of what no policy asks for is none', () => {
    const { lines, tell, dropped } = log()
    for (let i = 0; i < LINES_PER_SECOND + 30; i++) tell({ class: 'reset' }, { sampling: 0 })
    expect([lines.length, dropped.value]).toEqual([0, 0])
  })
})
