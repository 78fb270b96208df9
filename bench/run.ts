/** `npm run bench`: builds both sides of every row, measures them in turn, says which targets hold. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addedCpuRows, measureAddedCpu } from './added-cpu.ts'
import { baselineBundle, buildGateway, gatewayBundle } from './build.ts'
import { startSurroundings, type Surroundings } from './children.ts'
import { check, compare, type Effort } from './compare.ts'
import { inWorkerRows, measureInWorker } from './in-worker.ts'
import { HEADING, httpResult, json, line, type RowResult } from './report.ts'
import { assertTakesPart } from './rollout-share.ts'
import { HTTP_ROWS, type HttpRow } from './rows.ts'
import { assertSameHeaders } from './same-headers.ts'
import { serve } from './workerd.ts'

/** The row after which the gateway's memory is looked at, and after how many requests. */
const MEMORY_ROW = 'five-plugins'
const MEMORY_REQUESTS = 10_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      // many short rounds: what the machine does beside takes time away from both sides alike
      rounds: { type: 'string', default: '41' },
      seconds: { type: 'string', default: '0.4' },
      only: { type: 'string' },
      envoy: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { only } = values
  const effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) }
  const wanted = (name: string): boolean => only === undefined || name === only
  const names = values.envoy
    ? addedCpuRows
    : [...HTTP_ROWS.map(({ name }) => name), ...inWorkerRows]
  const usage = `bench [--envoy] [--json] [--rounds N] [--seconds N] [--only NAME]\nrows: ${names.join(', ')}`
  if (values.help) {
    console.log(usage)
    return
  }
  if (!(effort.rounds >= 1 && effort.seconds > 0) || !names.some(wanted)) {
    console.error(usage)
    process.exitCode = 2
    return
  }
  const scratch = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  const results: RowResult[] = []
  const add = (result: RowResult): void => {
    results.push(result)
    if (!values.json) console.log(line(result))
  }
  if (!values.json) console.log(HEADING)
  try {
    await using surroundings = await startSurroundings()
    if (values.envoy) {
      const added = await measureAddedCpu(scratch, wanted, surroundings, effort)
      if ('skipped' in added) {
        console.log(values.json ? JSON.stringify(added) : `skipped: ${added.skipped}`)
        return
      }
      for (const result of added) add(result)
    } else {
      const built = HTTP_ROWS.some(({ name }) => wanted(name)) ? buildGateway(scratch) : ''
      for (const row of HTTP_ROWS) {
        if (!wanted(row.name)) continue
        add(await measure(row, join(scratch, row.name), built, surroundings, effort))
      }
      for (const result of await measureInWorker(scratch, wanted)) add(result)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  if (values.json) console.log(json(results))
}

async function measure(
  row: HttpRow,
  scratch: string,
  built: string,
  surroundings: Surroundings,
  effort: Effort,
): Promise<RowResult> {
  const { upstreamPort, load } = surroundings
  const { plugins, rollout, path, connections } = row
  const [here, there] = [join(scratch, 'gateway'), join(scratch, 'baseline')]
  const ours = await gatewayBundle(built, here, plugins, upstreamPort, rollout)
  const theirs =
    row.baseline === undefined
      ? await gatewayBundle(built, there, plugins, upstreamPort)
      : await baselineBundle(row.baseline, there, upstreamPort)
  await using gateway = await serve(ours)
  await using baseline = await serve(theirs)
  if (row.sameHeaders) await assertSameHeaders(gateway.port, baseline.port)
  let residentMegabytes: number | undefined
  if (row.name === MEMORY_ROW) {
    const order = { port: gateway.port, path, connections, seconds: 60, requests: MEMORY_REQUESTS }
    check(await load(order))
    residentMegabytes = gateway.residentMegabytes()
  }
  const result = await compare(surroundings, { gateway, baseline }, row, effort)
  if (rollout !== undefined) await assertTakesPart(gateway.port, rollout, result.requests)
  return httpResult(row.name, row.target, result, residentMegabytes)
}

await main()
