/**
 * The rows of `--envoy`: the CPU that plugins add to a request, in Postern and in a real Envoy. Each is
 * compared with itself without plugins, so that what the gateways cost is not in it.
 */
import { join } from 'node:path'
import { installEnvoy } from '../test/envoy/install.ts'
import { baselineBundle, buildGateway, gatewayBundle } from './build.ts'
import type { Surroundings } from './children.ts'
import { check, type Effort } from './compare.ts'
import { serveEnvoy } from './envoy.ts'
import { type BenchPlugin, FIVE, ONE } from './policy.ts'
import type { RowResult } from './report.ts'
import { assertSameEdits } from './same-headers.ts'
import { median } from './statistics.ts'
import { SMALL_PATH } from './traffic.ts'
import { serve, type Side } from './workerd.ts'

interface AddedRow {
  readonly name: string
  readonly plugins: readonly BenchPlugin[]
  /** The file of workers/ that makes the same edits, which is there to compare with by eye. */
  readonly byHand: string
}

const ROWS: readonly AddedRow[] = [
  { name: 'added-cpu-one', plugins: ONE, byHand: 'hono-one' },
  { name: 'added-cpu-five', plugins: FIVE, byHand: 'hono-five' },
]
const TARGET = 1
const CONNECTIONS = 32
const WARM_UP_REQUESTS = 20_000
const WARM_UP_SECONDS = 20

export const addedCpuRows: readonly string[] = ROWS.map(({ name }) => name)

/** One kind of gateway, without and with plugins. */
type Kind = 'postern' | 'envoy' | 'byHand'
const KINDS: readonly Kind[] = ['postern', 'envoy', 'byHand']
type Start = (kind: Kind, row: AddedRow | undefined) => Promise<Side>

/**
 * @param wanted - which rows are asked for
 * @returns the rows, or why there are none
 */
export async function measureAddedCpu(
  scratch: string,
  wanted: (name: string) => boolean,
  surroundings: Surroundings,
  effort: Effort,
): Promise<readonly RowResult[] | { readonly skipped: string }> {
  const envoy = await installEnvoy()
  if ('missing' in envoy) return { skipped: `Envoy cannot be installed here: ${envoy.missing}` }
  const { upstreamPort } = surroundings
  const built = buildGateway(scratch)
  const start: Start = async (kind, row) => {
    const folder = join(scratch, kind, row?.name ?? 'none')
    const plugins = row?.plugins ?? []
    if (kind === 'envoy') return serveEnvoy(envoy.path, folder, plugins, upstreamPort)
    if (kind === 'postern') return serve(await gatewayBundle(built, folder, plugins, upstreamPort))
    return serve(await baselineBundle(row?.byHand ?? 'hono-none', folder, upstreamPort))
  }
  const rows = ROWS.filter(({ name }) => wanted(name))
  await using sides = new AsyncDisposableStack()
  const bySide = new Map<string, Side>()
  for (const kind of KINDS) {
    for (const row of [undefined, ...rows]) {
      bySide.set(key(kind, row), sides.use(await start(kind, row)))
    }
  }
  for (const row of rows) {
    const ports = (kind: Kind): { without: number; with: number } => ({
      without: bySide.get(key(kind))?.port ?? 0,
      with: bySide.get(key(kind, row))?.port ?? 0,
    })
    await assertSameEdits(ports('postern'), ports('envoy'))
    await assertSameEdits(ports('postern'), ports('byHand'))
  }
  const micros = await cpuPerRequest(bySide, surroundings, effort)
  return rows.map((row) => resultOf(row, micros, envoy.version))
}

const key = (kind: Kind, row?: AddedRow): string => `${kind} ${row?.name ?? 'none'}`

/** Microseconds of CPU for a request of each side in each round. */
async function cpuPerRequest(
  sides: ReadonlyMap<string, Side>,
  { load }: Surroundings,
  { rounds, seconds }: Effort,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const run = async (side: Side, seconds: number, requests: number): Promise<number> => {
    const before = side.cpuSeconds()
    const order = { path: SMALL_PATH, connections: CONNECTIONS, port: side.port, seconds, requests }
    const result = await load(order)
    check(result)
    return ((side.cpuSeconds() - before) / result.requests) * 1e6
  }
  const micros = new Map(Array.from(sides, ([name]): [string, number[]] => [name, []]))
  for (const [, side] of sides) await run(side, WARM_UP_SECONDS, WARM_UP_REQUESTS)
  const order = Array.from(sides)
  for (let round = 0; round < rounds; round++) {
    for (const [name, side] of order) {
      micros.get(name)?.push(await run(side, seconds, Number.MAX_SAFE_INTEGER))
    }
    // forwards and backwards by turns: who is with and who is without plugins stay neighbours
    order.reverse()
  }
  return micros
}

function resultOf(
  row: AddedRow,
  micros: ReadonlyMap<string, readonly number[]>,
  version: string,
): RowResult {
  const added = (kind: Kind): number => {
    const without = micros.get(key(kind)) ?? []
    return median((micros.get(key(kind, row)) ?? []).map((one, i) => one - (without[i] ?? one)))
  }
  const whole = (kind: Kind, of?: AddedRow): number => median(micros.get(key(kind, of)) ?? [])
  const postern = added('postern')
  const envoy = added('envoy')
  const byHand = added('byHand')
  const ratio = postern / envoy
  const round = (value: number): number => Number(value.toFixed(1))
  const pair = (kind: Kind): string =>
    `${whole(kind).toFixed(1)} → ${whole(kind, row).toFixed(1)} µs`
  return {
    name: row.name,
    ratio: Number(ratio.toFixed(3)),
    target: TARGET,
    holds: ratio <= TARGET,
    cpuMicrosPerRequest: {
      posternWithout: round(whole('postern')),
      posternWith: round(whole('postern', row)),
      posternAdded: round(postern),
      envoyWithout: round(whole('envoy')),
      envoyWith: round(whole('envoy', row)),
      envoyAdded: round(envoy),
      byHandWithout: round(whole('byHand')),
      byHandWith: round(whole('byHand', row)),
      byHandAdded: round(byHand),
    },
    details: {},
    note:
      `at most; Postern +${postern.toFixed(1)} (${pair('postern')}), ` +
      `Envoy ${version} +${envoy.toFixed(1)} (${pair('envoy')}), ` +
      `by hand +${byHand.toFixed(1)} (${pair('byHand')})`,
  }
}
