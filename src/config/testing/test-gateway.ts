/** A LiveConfig with a fake store and clock, and a gateway's requests in short. */
import type { ActivationReport, RequestScope } from '../activation.ts'
import type { ActivePointer } from '../active-pointer.ts'
import { nameSnapshot } from '../compile.ts'
import { LiveConfig } from '../live-config.ts'
import type { LiveConfigOptions } from '../live-config.ts'
import type { Snapshot } from '../snapshot.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeSource } from './fake-source.ts'

const START = Date.parse('2026-11-01T00:00:00Z')

/** A snapshot that differs from others in its upstream's name. */
export function snapshotOf(upstream: string): Snapshot {
  const one = { name: upstream, url: 'http://origin.test', aliases: [], timeoutMs: 1_000 }
  return {
    schema: 2,
    gateways: [],
    routes: [],
    gatewayPlugins: [],
    plugins: {},
    upstreams: { [upstream]: one },
  }
}

export function pointerTo(
  revision: number,
  snapshot: string,
  previous: string | null = null,
): ActivePointer {
  return { revision, snapshot, previous, issuedAt: '2026-11-01T00:00:00.000Z' }
}

export interface TestGateway {
  readonly live: LiveConfig<string>
  readonly clock: FakeClock
  readonly source: FakeSource
  readonly scope: RequestScope
  /** What was activated, in order. */
  readonly activated: readonly string[]
  /** Stores a snapshot and, with a revision, points at it. @returns its hash */
  publish(upstream: string, revision?: number, previous?: string | null): Promise<string>
  point(pointer: ActivePointer): void
  /** What one request runs with; the background work it began is done afterwards. */
  request(): Promise<string | undefined>
  codes(): readonly string[]
}

/** A gateway in a test: what it runs is the name of its snapshot's upstream. */
export function testGateway(options: Partial<LiveConfigOptions<string>> = {}): TestGateway {
  const clock = new FakeClock(START)
  const source = new FakeSource(clock)
  const held: Promise<unknown>[] = []
  const scope: RequestScope = { waitUntil: (promise) => void held.push(promise) }
  const activated: string[] = []
  const live = new LiveConfig<string>({
    source,
    clock,
    activate: (snapshot): Promise<ActivationReport<string>> => {
      const [name = ''] = Object.keys(snapshot.upstreams)
      activated.push(name)
      return Promise.resolve({ running: name, plugins: [] })
    },
    ...options,
  })
  return {
    live,
    clock,
    source,
    scope,
    activated,
    async publish(upstream, revision, previous = null) {
      const { hash, text } = await nameSnapshot(snapshotOf(upstream))
      source.values.set(`snapshot.${hash}`, text)
      if (revision !== undefined) this.point(pointerTo(revision, hash, previous))
      return hash
    },
    point(pointer) {
      source.values.set('active', JSON.stringify(pointer))
    },
    async request() {
      const config = await live.current(scope)
      while (held.length > 0) await held.shift()
      return config?.running
    },
    codes: () => live.status().refusals.map((refusal) => refusal.code),
  }
}
