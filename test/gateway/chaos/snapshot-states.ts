/** What can be wrong with a snapshot that a sound pointer names. */
import { canonicalJson } from '../../../src/config/canonical.ts'
import type { Snapshot } from '../../../src/config/snapshot.ts'
import type { Fault } from '../../support/broken-store.ts'
import type { State } from './state.ts'
import { NOWHERE, type World } from './world.ts'

const KEPT = { serves: 'good', live: false } as const
const TAKEN = { serves: 'next', live: true } as const

/** Bytes that are not what the name says. */
const spoiled = (what: string, spoil: (text: string) => string | Buffer): State => ({
  what,
  arrange: (world) => world.spoilNext(spoil),
  code: 'config.snapshot_hash',
  warm: KEPT,
  cold: 'good',
})

/** The right bytes, and something in them that no gateway runs. */
const refused = (
  what: string,
  code: string,
  alter: Parameters<World['pointAltered']>[0],
): State => ({
  what,
  arrange: (world) => world.pointAltered(alter),
  code,
  warm: KEPT,
  cold: 'good',
})

/** A fault of the store on the way. */
const faulty = (
  what: string,
  fault: (nth: number) => Fault,
  rest: Omit<State, 'what' | 'arrange'>,
): State => ({
  what,
  arrange: (world) => {
    world.pointNext()
    const key = `snapshot.${world.next.hash}`
    let nth = 0
    world.store.fault = (asked) => (asked === key ? fault((nth += 1)) : 'sound')
  },
  ...rest,
})

const everyOther = (nth: number): Fault => (nth % 2 === 1 ? 'error' : 'sound')

const UNAVAILABLE = { code: 'config.source_unavailable', warm: KEPT, cold: 'good' } as const

export const SNAPSHOT_STATES: readonly State[] = [
  {
    what: 'not there yet',
    arrange: (world) => world.point(NOWHERE),
    code: null,
    warm: { ...KEPT, pending: true },
    cold: 'good',
  },
  {
    what: 'not there, and neither is the one before',
    arrange: (world) => world.point(NOWHERE, { previous: 'b'.repeat(64) }),
    code: null,
    warm: { ...KEPT, pending: true },
    cold: 'none',
    coldCode: 'config.snapshot_pending',
  },
  {
    what: 'not there, and none came before',
    arrange: (world) => world.point(NOWHERE, { previous: null }),
    code: null,
    warm: { ...KEPT, pending: true },
    cold: 'none',
  },
  spoiled('empty', () => ''),
  spoiled('cut off', (text) => text.slice(0, text.length / 2)),
  spoiled('one character longer', (text) => `${text}\n`),
  spoiled('changed in one place', (text) => text.replace('next', 'nexu')),
  spoiled('random bytes', () =>
    Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 89) % 256)),
  ),
  spoiled('5 MB of something else', () => 'x'.repeat(5_000_000)),
  {
    what: 'that of another revision',
    arrange: (world) => world.spoilNext(() => world.good.text),
    code: 'config.snapshot_hash',
    warm: KEPT,
    cold: 'good',
  },
  refused('no JSON', 'config.snapshot_invalid', () => 'snapshot'),
  refused('a list', 'config.snapshot_invalid', () => []),
  refused('of no schema', 'config.snapshot_invalid', (snapshot) => ({
    ...snapshot,
    schema: undefined,
  })),
  refused('of a newer Postern', 'config.schema_newer', (snapshot) => ({ ...snapshot, schema: 99 })),
  refused('one with a member nobody knows', 'config.snapshot_invalid', (snapshot) => ({
    ...snapshot,
    strict: false,
  })),
  refused('one whose chain names no plugin', 'config.snapshot_invalid', (snapshot) => ({
    ...snapshot,
    gatewayPlugins: ['default.nobody'],
  })),
  refused('one whose rule names no upstream', 'config.snapshot_invalid', (snapshot) => ({
    ...snapshot,
    upstreams: {},
  })),
  refused('one that sets __proto__', 'config.snapshot_invalid', (snapshot) =>
    canonicalJson(snapshot).replace('{', '{"__proto__":{"schema":2},'),
  ),
  {
    what: 'of an older Postern',
    arrange: (world) => world.pointAltered(asSchema1),
    code: null,
    warm: TAKEN,
    cold: 'next',
  },
  {
    what: '3 MB, and right',
    arrange: (world) =>
      world.pointAltered((snapshot) => ({
        ...snapshot,
        upstreams: { ...snapshot.upstreams, ...manyUpstreams() },
      })),
    code: null,
    warm: TAKEN,
    cold: 'next',
  },
  faulty('slow, within the deadline', () => 800, { code: null, warm: TAKEN, cold: 'next' }),
  faulty('never answered', () => 'silent', UNAVAILABLE),
  faulty('answered with an error', () => 'error', UNAVAILABLE),
  faulty('broken off while it is sent', () => 'cut', UNAVAILABLE),
  faulty('an error every other time', everyOther, {
    code: 'config.source_unavailable',
    warm: TAKEN,
    cold: 'next',
    coldCode: null,
  }),
]

function manyUpstreams(): object {
  const one = { url: 'http://origin.test', aliases: ['x'.repeat(2_900)], timeoutMs: 1_000 }
  return Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`u${i}`, { name: `u${i}`, ...one }]),
  )
}

/** The snapshot as the first Postern wrote it. */
function asSchema1({ gatewayPlugins, routes, plugins, upstreams }: Snapshot): object {
  return {
    schema: 1,
    gatewayPlugins,
    routes: routes.map(({ name, namespace, hostnames, plugins: chain, rules }) => ({
      name,
      namespace,
      hostnames,
      plugins: chain,
      rules: rules.map(({ matches, backends }) => ({ matches, upstream: backends[0]?.upstream })),
    })),
    plugins: Object.fromEntries(
      Object.entries(plugins).map(([id, { lastGood: _lastGood, ...plugin }]) => [id, plugin]),
    ),
    upstreams,
  }
}
