/**
 * What it costs a request to be given its side of a rollout, inside workerd: its key is taken from it,
 * hashed and compared, and the side's counters are found. A figure for each type of key.
 */
import { systemClock } from '../../src/config/clock.ts'
import type { SnapshotRollout, SnapshotRolloutKey } from '../../src/config/snapshot-rollout.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'
import { Exchange } from '../../src/gateway/exchange.ts'
import { Meters } from '../../src/gateway/meters.ts'
import { RolloutSides } from '../../src/gateway/rollout-sides.ts'
import { RolloutWeights } from '../../src/gateway/rollout-weights.ts'
import type { RoutedRequest } from '../../src/gateway/routed-request.ts'
import type { Plugin } from '../../src/proxy-wasm/index.ts'
import { rolloutsText } from '../rollouts-text.ts'
import { median } from '../statistics.ts'
import { REQUEST_HEADERS, SESSIONS, SMALL_PATH, withSession } from '../traffic.ts'

/** Nanoseconds of one pick, by type of key. */
export type PickFigures = Readonly<Record<string, number>>

const ROUNDS = 11
const PICKS = 200_000
const WEIGHT = 50

const KEYS: readonly SnapshotRolloutKey[] = [
  { type: 'cookie', name: 'session' },
  { type: 'header', name: 'x-request-id' },
  { type: 'query', name: 'sort' },
  { type: 'clientIp' },
  { type: 'jwtClaim', name: 'sub' },
]

/** As they are in a token of a shop's clients. */
const CLAIMS = {
  iss: 'https://id.shop.example/',
  aud: 'shop',
  iat: 1793491200,
  exp: 1793494800,
  scope: 'openid profile orders:read',
  roles: ['customer', 'gold'],
}

const scope = { waitUntil: (): void => undefined }
const stable = {} as Plugin
const chain: readonly Plugin[] = [stable]

type Picked = Pick<RoutedRequest, 'request' | 'path' | 'header'>

/** As the load sends them, each of another session, with a token of its own. */
function requests(): readonly Picked[] {
  return Array.from({ length: SESSIONS }, (_, session) => {
    const headers = new Headers(
      REQUEST_HEADERS.filter(([name]) => name !== 'host').map(([name, value]) => [
        name,
        withSession(value, session),
      ]),
    )
    const payload = btoa(JSON.stringify({ ...CLAIMS, sub: `client-${session}` }))
    const token = `eyJhbGciOiJFUzI1NiJ9.${payload.replaceAll('=', '')}.${'c2ln'.repeat(21)}`
    headers.set('authorization', `Bearer ${token}`)
    const request = new Request(`http://shop.example${SMALL_PATH}`, { headers })
    return { request, path: SMALL_PATH, header: (name) => request.headers.get(name) }
  })
}

async function sidesOf(key: SnapshotRolloutKey): Promise<RolloutSides> {
  const rollout: SnapshotRollout = {
    id: `default.${key.type}`,
    plugin: 'default.plugin',
    candidate: { module: 'a'.repeat(64), configuration: '' },
    mode: 'enforce',
    key,
    steps: [{ weight: WEIGHT, pauseMs: 0 }],
    onFailure: 'rollback',
  }
  const snapshot = { rollouts: [rollout] } as unknown as Snapshot
  const text = await rolloutsText(rollout, WEIGHT)
  const hour = 3_600_000
  const weights = new RolloutWeights({
    source: { get: () => Promise.resolve(text) },
    clock: systemClock,
    refreshMs: hour,
    maxStaleMs: hour,
    labels: {},
    ask: () => Promise.resolve(false),
  })
  await weights.follow(snapshot, { waitUntil: () => undefined })
  const plugins = new Map([
    [rollout.plugin, stable],
    [`${rollout.plugin} (candidate)`, {} as Plugin],
  ])
  const sides = RolloutSides.of(snapshot, plugins, {}, weights, new Meters())
  if (sides === undefined) throw new Error('there is nothing to choose')
  return sides
}

function nanosPerPick(sides: RolloutSides, all: readonly Picked[]): number {
  let candidates = 0
  const start = performance.now()
  const startedAt = Date.now()
  for (let i = 0; i < PICKS; i++) {
    const request = all[i % all.length] as RoutedRequest
    if (sides.choose(chain, request, new Exchange(scope, startedAt)) !== chain) candidates += 1
  }
  const nanos = ((performance.now() - start) * 1e6) / PICKS
  // one request id and one query stand for all: then all are on one side
  if (candidates > 0 && candidates < PICKS && Math.abs(candidates / PICKS - 0.5) > 0.25) {
    throw new Error(`${candidates} of ${PICKS} requests got the candidate at ${WEIGHT} per cent`)
  }
  return nanos
}

async function measure(): Promise<PickFigures> {
  const all = requests()
  const rows = await Promise.all(
    KEYS.map(async (key) => ({ type: key.type, sides: await sidesOf(key), times: [] as number[] })),
  )
  for (let round = 0; round < ROUNDS; round++) {
    for (const { sides, times } of rows) times.push(nanosPerPick(sides, all))
  }
  return Object.fromEntries(rows.map(({ type, times }) => [type, median(times)]))
}

const worker = {
  fetch: async (): Promise<Response> => Response.json(await measure()),
}

export default worker
