/**
 * Traffic made from a policy: for each match of each route that has the plugin, requests that it takes, in
 * and out of the rollout's audience, with many keys and none. The same seed makes the same traffic.
 */
import { orderedCandidates, type RouteCandidate } from '../../config/route-order.ts'
import type { RouteMatch, Snapshot } from '../../config/snapshot.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import { hostOf, RouteTable, type RouteKey } from '../../gateway/route-table.ts'
import { SeededRandom, seedOf } from '../seeded-random.ts'
import type { HeaderList, RecordedExchange } from './exchange.ts'
import {
  pathBehind,
  someAnswer,
  someBody,
  someHeaders,
  someMethod,
  someQuery,
} from './generated-parts.ts'
import { type ConfiguredWords, configuredWords } from './configured-words.ts'
import { withKey } from './sticky-keys.ts'
import { textMatching, valueMatching } from './text-matching.ts'

export interface Generated {
  readonly exchange: RecordedExchange
  /** What it was made for, and what it is routed by. */
  readonly candidate: RouteCandidate
}

/** How often another request is made for a match that a more specific one takes them from. */
const TRIES = 20
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])

/** What is left to chance is the same for everybody; whatever a match asks for is put on top. */
interface Draft {
  scheme: string
  host: string
  method: string
  path: string
  readonly query: string[]
  headers: [name: string, value: string][]
}

export class TrafficGenerator {
  /** Matches that no request could be made for, as `namespace/name: /path`. */
  readonly unreached: Set<string> = new Set()
  readonly #rollout: SnapshotRollout
  readonly #routes: RouteTable
  readonly #candidates: readonly RouteCandidate[]
  readonly #audience: readonly RouteMatch[]
  readonly #words: ConfiguredWords
  readonly #headers: HeaderList
  readonly #seed: number

  /**
   * @param rollout - of the snapshot: routes that have its plugin get requests
   * @param headers - that every request has
   */
  constructor(
    snapshot: Snapshot,
    rollout: SnapshotRollout,
    seed: number,
    headers: HeaderList = [],
  ) {
    this.#headers = headers
    this.#rollout = rollout
    this.#seed = seed
    this.#words = configuredWords(snapshot, rollout)
    this.#routes = new RouteTable(snapshot)
    this.#candidates = orderedCandidates(snapshot).filter(({ route }) =>
      route.plugins.includes(rollout.plugin),
    )
    this.#audience = rollout.matches ?? []
  }

  /**
   * @param number - from 1 on; the same number is the same request
   * @returns undefined where none can be made for the match whose turn it is
   */
  make(number: number): Generated | undefined {
    const candidate = this.#candidates[(number - 1) % this.#candidates.length]
    if (candidate === undefined) return undefined
    const random = new SeededRandom(seedOf('traffic', this.#seed, number))
    const wanted = random.chance(0.8) && this.#audience.length > 0
    for (let attempt = 0; attempt < TRIES; attempt++) {
      // one that is wanted in the audience may have no path in common with the match
      const inAudience = wanted && attempt < TRIES / 2
      const draft = this.#draft(
        candidate,
        inAudience ? random.pick(this.#audience) : undefined,
        random,
      )
      if (!this.#isFor(candidate, draft)) continue
      return { exchange: exchangeOf(draft, number, this.#words, random), candidate }
    }
    const { route, match } = candidate
    this.unreached.add(`${route.namespace}/${route.name}: ${match.path.value}`)
    return undefined
  }

  #draft(
    { hostname, listener, match, route }: RouteCandidate,
    audience: RouteMatch | undefined,
    random: SeededRandom,
  ): Draft {
    const draft: Draft = {
      scheme: listener.protocol === 'HTTPS' ? 'https' : 'http',
      host: hostFor(hostname ?? route.hostnames.find((one) => one !== ''), random),
      method: match.method ?? audience?.method ?? someMethod(random),
      path: pathFor(match, audience, random),
      query: [],
      headers: someHeaders(random),
    }
    this.#useWords(draft, random)
    for (const [name, value] of this.#headers) {
      draft.headers = draft.headers.filter(([other]) => other !== name)
      draft.headers.push([name, value])
    }
    if (listener.port !== undefined) draft.host += `:${listener.port}`
    for (const one of audience === undefined ? [match] : [match, audience]) {
      for (const header of one.headers ?? []) {
        // the first of a name is what a condition looks at
        draft.headers = draft.headers.filter(([name]) => name !== header.name)
        draft.headers.unshift([header.name, valueMatching(header, random)])
      }
      for (const { name, ...rest } of one.query ?? []) {
        const value = valueMatching({ name, ...rest }, random)
        draft.query.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      }
    }
    const more = someQuery(random)
    if (more !== '') draft.query.push(more)
    withKey(this.#rollout.key, draft, random)
    return draft
  }

  /** What the plugin is told to look for is in some of the requests; matches have the last word. */
  #useWords(draft: Draft, random: SeededRandom): void {
    const { headers, paths, values } = this.#words
    if (paths.length > 0 && random.chance(0.2)) {
      const path = random.pick(paths)
      draft.path = random.chance(0.5) ? path : `${path.replace(/\/$/, '')}/${pathBehind(random)}`
    }
    for (const name of headers) {
      if (random.chance(0.2)) draft.headers.push([name, random.pick(['', '1', name, ...values])])
    }
  }

  #isFor(candidate: RouteCandidate, draft: Draft): boolean {
    const url = URL.parse(urlOf(draft))
    if (url === null) return false
    try {
      const headers = new Headers(draft.headers)
      const key: RouteKey = {
        host: hostOf(url.host),
        scheme: draft.scheme,
        authority: url.host,
        path: url.pathname + url.search,
        method: draft.method,
        header: (name) => headers.get(name),
      }
      const found = this.#routes.match(key)
      return found?.route === candidate.route && found.match === candidate.match
    } catch {
      // what a regular expression takes need not be a header
      return false
    }
  }
}

function exchangeOf(
  draft: Draft,
  number: number,
  { contentTypes }: ConfiguredWords,
  random: SeededRandom,
): RecordedExchange {
  const { method, headers } = draft
  const body = BODILESS.has(method) ? undefined : someBody(random, contentTypes)
  const own: [string, string][] =
    body === undefined || headers.some(([name]) => name === 'content-type')
      ? []
      : [['content-type', body.type]]
  const length: [string, string][] =
    body === undefined || random.chance(0.2) ? [] : [['content-length', `${body.bytes.length}`]]
  return {
    place: `generated ${number}`,
    method,
    url: urlOf(draft),
    headers: [...headers, ...own, ...length],
    body: body?.bytes,
    at: undefined,
    answer: someAnswer(random, contentTypes),
    callouts: [],
  }
}

function urlOf({ scheme, host, path, query }: Draft): string {
  return `${scheme}://${host}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

function hostFor(hostname: string | undefined, random: SeededRandom): string {
  if (hostname === undefined) return 'simulated.example'
  if (!hostname.startsWith('*.')) return hostname
  return `${random.pick(['www', 'shop', 'a.b'])}.${hostname.slice(2)}`
}

function pathFor(
  match: RouteMatch,
  audience: RouteMatch | undefined,
  random: SeededRandom,
): string {
  // the narrower of both is more likely to be within the other
  const narrow = audience !== undefined && rank(audience) > rank(match) ? audience.path : match.path
  switch (narrow.type) {
    case 'Exact':
      return narrow.value
    case 'RegularExpression':
      return textMatching(narrow.value, random)
    case 'PathPrefix': {
      const behind = pathBehind(random)
      if (narrow.value === '/') return `/${behind}`
      return behind === '' ? narrow.value : `${narrow.value}/${behind}`
    }
  }
}

function rank({ path: { type, value } }: RouteMatch): number {
  if (type === 'Exact') return 10_000
  return type === 'RegularExpression' ? 5_000 : value.length
}
