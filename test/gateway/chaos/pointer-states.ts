/** What can be wrong with the key `active`. */
import type { State } from './state.ts'
import type { World } from './world.ts'

const KEPT = { serves: 'good', live: false } as const
const TAKEN = { serves: 'next', live: true } as const

/** A value of `active` that is no pointer. */
const invalid = (what: string, value: (world: World) => string | Buffer): State => ({
  what,
  arrange: (world) => void world.store.values.set('active', value(world)),
  code: 'config.pointer_invalid',
  warm: KEPT,
  cold: 'none',
})

/** A pointer with something of it replaced. */
const altered = (what: string, fields: object): State =>
  invalid(what, (world) => JSON.stringify({ ...world.pointer(world.next.hash), ...fields }))

const text = (world: World): string => JSON.stringify(world.pointer(world.next.hash))

export const POINTER_STATES: readonly State[] = [
  {
    what: 'missing',
    arrange: ({ store }) => void store.values.delete('active'),
    code: 'config.pointer_missing',
    warm: KEPT,
    cold: 'none',
    // a store that nobody has written to is no fault
    coldCode: null,
  },
  invalid('empty', () => ''),
  invalid('cut off', (world) => text(world).slice(0, -20)),
  invalid('followed by garbage', (world) => `${text(world)}\u0000\u0000`),
  invalid('random bytes', () => Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 97) % 256))),
  invalid('a page of HTML', () => '<!doctype html><title>502 Bad Gateway</title>'),
  invalid('a list', () => '[]'),
  invalid('null', () => 'null'),
  invalid('20 MB long', () => '{'.padEnd(20_000_000)),
  invalid('nested a million deep', () => '['.repeat(1_000_000)),
  altered('a revision as text', { revision: '7' }),
  altered('revision 0', { revision: 0 }),
  altered('a revision beyond counting', { revision: 1e300 }),
  altered('without the name of a snapshot', { snapshot: 'latest' }),
  altered('one with a member nobody knows', { force: true }),
  {
    what: 'of an older revision',
    arrange: (world) => world.point(world.next.hash, { revision: world.revision - 1 }),
    code: 'config.revision_older',
    warm: KEPT,
    cold: 'next',
    coldCode: null,
  },
  {
    what: 'another snapshot under the revision that runs',
    arrange: (world) => world.point(world.next.hash, { revision: world.revision }),
    code: 'config.revision_reused',
    warm: KEPT,
    cold: 'next',
    coldCode: null,
  },
  {
    what: 'slow, within the deadline',
    arrange: (world) => {
      world.pointNext()
      world.store.fault = (key) => (key === 'active' ? 600 : 'sound')
    },
    code: null,
    warm: TAKEN,
    cold: 'next',
  },
  {
    what: 'never answered',
    arrange: (world) => {
      world.pointNext()
      world.store.fault = (key) => (key === 'active' ? 'silent' : 'sound')
    },
    code: 'config.source_unavailable',
    warm: KEPT,
    cold: 'none',
  },
  {
    what: 'answered with an error',
    arrange: (world) => {
      world.pointNext()
      world.store.fault = (key) => (key === 'active' ? 'error' : 'sound')
    },
    code: 'config.source_unavailable',
    warm: KEPT,
    cold: 'none',
  },
  {
    what: 'broken off while it is sent',
    arrange: (world) => {
      world.pointNext()
      world.store.fault = (key) => (key === 'active' ? 'cut' : 'sound')
    },
    code: 'config.source_unavailable',
    warm: KEPT,
    cold: 'none',
  },
  {
    what: 'an error every other time',
    arrange: (world) => {
      world.pointNext()
      let nth = 0
      world.store.fault = (key) => (key === 'active' && (nth += 1) % 2 === 1 ? 'error' : 'sound')
    },
    code: 'config.source_unavailable',
    warm: TAKEN,
    cold: 'next',
    coldCode: null,
  },
  {
    what: 'the old one every other time, as a replica behind the others shows it',
    arrange: (world) => {
      const old = world.store.values.get('active') ?? ''
      world.pointNext()
      let nth = 0
      world.store.fault = (key) =>
        key === 'active' && (nth += 1) % 2 === 1 ? { instead: old } : 'sound'
    },
    code: null,
    warm: TAKEN,
    // what it sees first; the new one with the next read
    cold: 'good',
  },
]
