/**
 * What a state of the store is made in: a store that holds a good revision and the parts of the next one,
 * and ways to spoil them.
 */
import { sha256Hex } from '../../../src/config/digest.ts'
import type { ActivePointer } from '../../../src/config/active-pointer.ts'
import { canonicalJson } from '../../../src/config/canonical.ts'
import type { NamedSnapshot } from '../../../src/config/compile.ts'
import type { Snapshot } from '../../../src/config/snapshot.ts'
import type { BrokenStore } from '../../support/broken-store.ts'
import { headerProbe, upstreamAndRoute } from '../../support/policy.ts'

/** Compiles resources as `apply` would, without trying plugins. */
export type Compile = (documents: readonly object[], previous?: Snapshot) => Promise<NamedSnapshot>

/** sha256 of nothing that there is. */
export const NOWHERE: string = 'a'.repeat(64)

export class World {
  readonly store: BrokenStore
  readonly compile: Compile
  /** The revision that is good; the next one is the number after it. */
  readonly revision: number
  readonly good: NamedSnapshot
  readonly next: NamedSnapshot
  readonly #origin: string

  private constructor(
    store: BrokenStore,
    compile: Compile,
    revision: number,
    origin: string,
    named: { readonly good: NamedSnapshot; readonly next: NamedSnapshot },
  ) {
    this.store = store
    this.compile = compile
    this.revision = revision
    this.#origin = origin
    this.good = named.good
    this.next = named.next
  }

  /** A store with a good revision that is active, and the next snapshot beside it. */
  static async make(
    store: BrokenStore,
    compile: Compile,
    revision: number,
    origin: string,
  ): Promise<World> {
    const policy = (mark: string): object[] => [...upstreamAndRoute(origin), marking('mark', mark)]
    const good = await compile(policy('good'))
    const next = await compile(policy('next'), good.snapshot)
    const world = new World(store, compile, revision, origin, { good, next })
    store.heal()
    store.values.set(`snapshot.${good.hash}`, good.text)
    store.values.set(`snapshot.${next.hash}`, next.text)
    world.point(good.hash, { revision, previous: null })
    return world
  }

  /** Moves the pointer; to the next revision, unless it says otherwise. */
  point(snapshot: string, fields: Partial<ActivePointer> = {}): void {
    this.store.values.set('active', canonicalJson(this.pointer(snapshot, fields)))
  }

  pointer(snapshot: string, fields: Partial<ActivePointer> = {}): ActivePointer {
    return {
      revision: this.revision + 1,
      snapshot,
      previous: this.good.hash,
      issuedAt: '2026-11-01T00:00:00.000Z',
      ...fields,
    }
  }

  /** The next pointer is there; something about it shall be wrong. */
  pointNext(): void {
    this.point(this.next.hash)
  }

  /** The next snapshot is there with other bytes than its name says. */
  spoilNext(spoil: (text: string) => string | Buffer): void {
    this.store.values.set(`snapshot.${this.next.hash}`, spoil(this.next.text))
    this.pointNext()
  }

  /** A snapshot made of the next one under its right name: what is wrong is inside. */
  async pointAltered(alter: (snapshot: Snapshot) => unknown): Promise<void> {
    const altered = alter(structuredClone(this.next.snapshot))
    const text = typeof altered === 'string' ? altered : canonicalJson(altered)
    const hash = await sha256Hex(text)
    this.store.values.set(`snapshot.${hash}`, text)
    this.point(hash)
  }

  /** The next revision has these plugins in place of the one that marks. */
  async pointPlugins(...plugins: readonly object[]): Promise<void> {
    const documents = [...upstreamAndRoute(this.#origin), ...plugins]
    const named = await this.compile(documents, this.good.snapshot)
    this.store.values.set(`snapshot.${named.hash}`, named.text)
    this.point(named.hash)
  }
}

/** A plugin that marks responses, and what else its script says. */
export function marking(name: string, mark: string, steps: object = {}, spec: object = {}): object {
  const response_headers = [{ call: 'set_header', name: `x-${name}`, value: mark }]
  return headerProbe(name, { response_headers, ...steps }, spec)
}
