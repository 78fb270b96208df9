/** Nodes as their isolates' reports show them. */
import { describe, expect, it } from 'vitest'
import { nodeViews, type SeenIsolate } from './node-views.ts'
import type { ActiveRevision, NodeView, ReportedRefusal } from './report.ts'

const NOW = Date.parse('2026-11-21T10:02:00Z')
const GONE = 60_000
const ACTIVE: ActiveRevision = { revision: 7, snapshot: 'ab', issuedAt: '2026-11-21T10:00:00Z' }

function isolate(name: string, more: Partial<SeenIsolate> = {}): SeenIsolate {
  return {
    isolate: name,
    node: 'ams',
    revision: 7,
    snapshot: 'ab',
    refusals: [],
    plugins: [],
    seenAt: NOW,
    ...more,
  }
}

const views = (
  isolates: readonly SeenIsolate[],
  active: ActiveRevision | null = ACTIVE,
): NodeView[] => nodeViews(isolates, active, NOW, GONE)

const refusal: ReportedRefusal = {
  code: 'config.snapshot_hash',
  message: 'x',
  at: '2026-11-21T10:01:00.000Z',
  revision: 8,
}

describe('a node', () => {
  it('is current when all its isolates run what is active', () => {
    const [node] = views([isolate('a', { labels: { store: '042' } }), isolate('b')])
    expect(node).toMatchObject({ node: 'ams', state: 'current', behind: null, count: 2 })
  })

  it('is as far behind as the last of its isolates', () => {
    const [node] = views([isolate('a'), isolate('b', { revision: 4 })])
    expect(node).toMatchObject({
      state: 'behind',
      revision: 4,
      behind: { revisions: 3, seconds: 120 },
    })
  })

  it('that runs nothing is behind by everything', () => {
    const [node] = views([isolate('a', { revision: 0, snapshot: null })])
    expect(node).toMatchObject({ state: 'behind', behind: { revisions: 7 } })
  })

  it('shows what several isolates refuse once, with how many they are', () => {
    const [node] = views([
      isolate('a', { refusals: [refusal] }),
      isolate('b', { refusals: [refusal] }),
      isolate('c'),
    ])
    expect(node).toMatchObject({ state: 'refused', refused: [{ ...refusal, isolates: 2 }] })
  })

  it('counts a last good version as a refusal and a vm that is down as none', () => {
    const plugins = [{ plugin: 'default.waf', state: 'last-good', reason: 'no' } as const]
    expect(views([isolate('a', { plugins })])[0]).toMatchObject({
      state: 'refused',
      plugins: [{ ...plugins[0], isolates: 1 }],
    })
    const down = [{ plugin: 'default.waf', state: 'failed', reason: 'trap' } as const]
    expect(views([isolate('a', { plugins: down })])[0]?.state).toBe('current')
  })

  it('whose isolates have all fallen silent shows what the last of them said', () => {
    const gone = { seenAt: NOW - GONE - 1 }
    const [node] = views([
      isolate('a', { ...gone, revision: 6 }),
      isolate('b', { seenAt: gone.seenAt - 1, revision: 5 }),
    ])
    expect(node).toMatchObject({ state: 'silent', revision: 6, count: 0, isolates: [] })
    expect(node?.seenAt).toBe(new Date(gone.seenAt).toISOString())
  })

  it('is not held back by an isolate that has gone', () => {
    const [node] = views([isolate('a'), isolate('b', { revision: 2, seenAt: 0 })])
    expect(node).toMatchObject({ state: 'current', count: 1 })
  })

  it('lists twenty isolates and counts them all', () => {
    const [node] = views(Array.from({ length: 30 }, (_, i) => isolate(`i${i}`)))
    expect([node?.count, node?.isolates.length]).toEqual([30, 20])
  })
})

describe('what is active', () => {
  it('is the newest that runs where nobody has announced it', () => {
    const issuedAt = '2026-11-21T10:01:30Z'
    const nodes = views(
      [isolate('a', { issuedAt }), isolate('b', { node: 'fra', revision: 5 })],
      null,
    )
    expect(nodes.map(({ node, behind }) => [node, behind])).toEqual([
      ['ams', null],
      ['fra', { revisions: 2, seconds: 30 }],
    ])
  })

  it('is the newest that runs where the pointer was moved by hand', () => {
    expect(views([isolate('a', { revision: 9 }), isolate('b')])[0]?.behind?.revisions).toBe(2)
  })
})
