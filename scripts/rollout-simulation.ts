/**
 * Rollouts on paper: 1,000 nodes with a million requests each, no network. How soon a candidate that is
 * worse is found out, and how often one that is not is taken for it, by the same analysis as the
 * controller's. Writes its table into docs/ROLLOUT.md with --write; `--runs N` for more or fewer of them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { analyse } from '../src/rollout/analysis.ts'
import { NO_COUNTS, type SideCounts, type Spread } from '../src/rollout/counts.ts'
import { Fleet, type FleetTally } from './rollout-fleet.ts'

const PAGE = join(import.meta.dirname, '../docs/ROLLOUT.md')
const MARKER = /<!-- simulation -->.*?<!-- \/simulation -->/s

const NODES = 1000
const REQUESTS_OF_A_NODE = 1_000_000
/** Requests in one batch that a node sends home. */
const BATCH = 1000
const ANALYSIS = { minSamples: 200, alpha: 0.01 }
const STEPS = 5
/** How much more the candidate may have. */
const MAX_INCREASE = { 'server-errors': 0.01, traps: 0.002, 'host-calls': 2 } as const
/** Host calls of most requests, and how many more one makes that happens as often as an error. */
const CALLS = 10
const CALLS_MORE = 40

interface Case {
  readonly metric: keyof typeof MAX_INCREASE
  readonly what: string
  /** Per cent of the requests. */
  readonly weight: number
  /** Added to the candidate's rate of errors or traps, or to its host calls for each request. */
  readonly added: number
}

const CASES: readonly Case[] = [
  { metric: 'server-errors', what: 'equal', weight: 1, added: 0 },
  { metric: 'server-errors', what: 'equal', weight: 50, added: 0 },
  { metric: 'server-errors', what: '5 points more', weight: 0.1, added: 0.05 },
  { metric: 'server-errors', what: '5 points more', weight: 1, added: 0.05 },
  { metric: 'server-errors', what: '5 points more', weight: 50, added: 0.05 },
  { metric: 'server-errors', what: '2 points more', weight: 1, added: 0.02 },
  { metric: 'traps', what: 'equal', weight: 1, added: 0 },
  { metric: 'traps', what: '1 point more', weight: 1, added: 0.01 },
  { metric: 'host-calls', what: 'equal', weight: 1, added: 0 },
  { metric: 'host-calls', what: '3 more for each request', weight: 1, added: 3 },
]

interface Outcome {
  readonly verdict: 'fails' | 'passes' | 'inconclusive'
  /** Of the candidate, when it was told. */
  readonly requests: number
}

/** One rollout, looked at again and again until it fails or all requests have come. */
function play({ metric, weight, added }: Case, seed: number): Outcome {
  const calls = metric === 'host-calls' ? added : 0
  const fleet = new Fleet({
    nodes: NODES,
    share: weight / 100,
    // traps are rarer than errors
    times: metric === 'traps' ? 0.1 : 1,
    added: added - calls,
    seed,
  })
  const analysis = { ...ANALYSIS, metrics: [{ name: metric, maxIncrease: MAX_INCREASE[metric] }] }
  const batches = (NODES * REQUESTS_OF_A_NODE) / BATCH
  let first: Outcome | undefined
  for (let batch = 1; batch <= batches; batch += 1) {
    fleet.serve(BATCH)
    if (batch % lookEvery(batch) > 0) continue
    const { candidate } = fleet
    const counts = {
      stable: countsOf(fleet.stable, CALLS),
      candidate: countsOf(candidate, CALLS + calls),
    }
    const { verdict } = analyse(analysis, counts, STEPS)
    if (verdict === 'fails') return { verdict, requests: candidate.requests }
    // one that passes is watched to the end: it must not fail later either
    if (verdict === 'passes') first ??= { verdict, requests: candidate.requests }
  }
  return first ?? { verdict: 'inconclusive', requests: fleet.candidate.requests }
}

/** What is rare is an error, a trap, or a request with many host calls: the metric looks at one of them. */
function countsOf({ requests, serverErrors: rare }: FleetTally, calls: number): SideCounts {
  const many = calls + CALLS_MORE
  const hostCalls: Spread = {
    sum: (requests - rare) * calls + rare * many,
    squares: (requests - rare) * calls * calls + rare * many * many,
  }
  return { ...NO_COUNTS, requests, serverErrors: rare, streams: requests, traps: rare, hostCalls }
}

/** After so many batches: as often as can be while it matters, 12,000 times in all. */
function lookEvery(batch: number): number {
  if (batch <= 1000) return 1
  return batch <= 10_000 ? 10 : 100
}

function rowOf(one: Case, runs: number): string {
  const outcomes = Array.from({ length: runs }, (_, run) => play(one, run + 1))
  const told = outcomes.filter(({ verdict }) => verdict !== 'inconclusive')
  const counts = told.map(({ requests }) => requests).sort((a, b) => a - b)
  const at = (share: number): string =>
    (counts[Math.min(Math.floor(share * counts.length), counts.length - 1)] ?? 0).toLocaleString(
      'en',
    )
  const failed = outcomes.filter(({ verdict }) => verdict === 'fails').length
  const cells = [
    `\`${one.metric}\``,
    one.what,
    `${one.weight} %`,
    `${runs}`,
    `${((100 * failed) / runs).toFixed(1)} %`,
    `${told.length === 0 ? '' : at(0.5)}`,
    `${told.length === 0 ? '' : at(0.99)}`,
  ]
  return `| ${cells.join(' | ')} |`
}

function main(): void {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '200' },
      write: { type: 'boolean', default: false },
    },
  })
  const lines = [
    '| metric | candidate | weight | runs | rolled back | requests of the candidate until it was told, median | in 99 of 100 runs |',
    '|---|---|---|---|---|---|---|',
  ]
  for (const line of lines) console.log(line)
  for (const one of CASES) {
    lines.push(rowOf(one, Number(values.runs)))
    console.log(lines.at(-1))
  }
  if (!values.write) return
  const page = readFileSync(PAGE, 'utf8')
  const table = `<!-- simulation -->\n\n${lines.join('\n')}\n\n<!-- /simulation -->`
  writeFileSync(PAGE, page.replace(MARKER, table))
}

main()
