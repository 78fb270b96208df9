/** The rows without HTTP: a Worker measures itself in workerd and answers with the figures. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorker, catalog } from './build.ts'
import { hostCallModule, MEASURED_CALLS } from './host-call-module.ts'
import type { RowResult } from './report.ts'
import { serve } from './workerd.ts'
import type { HostCallFigures } from './workers/host-calls.ts'
import type { PickFigures } from './workers/rollout-pick.ts'
import type { RouteFigures } from './workers/routes.ts'
import type { StartFigures } from './workers/starts.ts'

const INSTANTIATE = 'instantiate'
const HOST_CALL_TARGET = 5
const ROUTE_MATCH = 'route-match-1000'
/** A thousand routes to ten. */
const ROUTE_MATCH_TARGET = 1.1
const SNAPSHOT_LOAD = 'snapshot-load-1000'
const SNAPSHOT_LOAD_MS = 50
const ROLLOUT_PICK = 'rollout-pick'
const ROLLOUT_PICK_NANOS = 1_000

export const inWorkerRows: readonly string[] = [
  ...MEASURED_CALLS.map(({ row }) => row),
  INSTANTIATE,
  ROUTE_MATCH,
  SNAPSHOT_LOAD,
  ROLLOUT_PICK,
]

/** @param wanted - which rows are asked for */
export async function measureInWorker(
  scratch: string,
  wanted: (name: string) => boolean,
): Promise<RowResult[]> {
  const results: RowResult[] = []
  if (MEASURED_CALLS.some(({ row }) => wanted(row))) {
    const figures = (await figuresOf(scratch, 'host-calls')) as HostCallFigures
    for (const { row } of MEASURED_CALLS) {
      const figure = figures[row]
      if (figure !== undefined && wanted(row)) results.push(hostCallResult(row, figure))
    }
  }
  if (wanted(INSTANTIATE)) {
    const figures = (await figuresOf(scratch, 'starts')) as StartFigures
    for (const [name, micros] of Object.entries(figures)) results.push(startResult(name, micros))
  }
  if (wanted(ROUTE_MATCH) || wanted(SNAPSHOT_LOAD)) {
    const figures = (await figuresOf(scratch, 'routes')) as RouteFigures
    results.push(...routeResults(figures).filter(({ name }) => wanted(name)))
  }
  if (wanted(ROLLOUT_PICK)) {
    const figures = (await figuresOf(scratch, 'rollout-pick')) as PickFigures
    for (const [key, nanos] of Object.entries(figures)) results.push(pickResult(key, nanos))
  }
  return results
}

function hostCallResult(
  name: string,
  { linked, bare, allocating, ratio }: HostCallFigures[string],
): RowResult {
  const nanos = (value: number): number => Number(value.toFixed(1))
  return {
    name,
    ratio: Number(ratio.toFixed(2)),
    target: HOST_CALL_TARGET,
    holds: ratio <= HOST_CALL_TARGET,
    cpuMicrosPerRequest: {},
    details: {
      linkedNanos: nanos(linked),
      bareNanos: nanos(bare),
      bareAllocatingNanos: nanos(allocating),
    },
    note:
      `at most; ${linked.toFixed(1)} ns linked, ${bare.toFixed(1)} ns bare, ` +
      `${allocating.toFixed(1)} ns bare with a call of the guest's malloc`,
  }
}

function startResult(name: string, micros: number): RowResult {
  return {
    name: `${INSTANTIATE} ${name}`,
    ratio: null,
    target: null,
    holds: true,
    cpuMicrosPerRequest: {},
    details: { micros: Number(micros.toFixed(1)) },
    note: `${micros.toFixed(0)} µs`,
  }
}

function routeResults(figures: RouteFigures): RowResult[] {
  const { nanosOfTen, nanosOfThousand, ratio, loadMs, tableMs, bytes } = figures
  return [
    {
      name: ROUTE_MATCH,
      ratio: Number(ratio.toFixed(2)),
      target: ROUTE_MATCH_TARGET,
      holds: ratio <= ROUTE_MATCH_TARGET,
      cpuMicrosPerRequest: {},
      details: { nanosOfTen: Math.round(nanosOfTen), nanosOfThousand: Math.round(nanosOfThousand) },
      note: `at most; ${nanosOfThousand.toFixed(0)} ns among 1,000 routes, ${nanosOfTen.toFixed(0)} ns among 10`,
    },
    {
      name: SNAPSHOT_LOAD,
      ratio: null,
      target: null,
      holds: loadMs <= SNAPSHOT_LOAD_MS,
      cpuMicrosPerRequest: {},
      details: { loadMs: Number(loadMs.toFixed(1)), tableMs: Number(tableMs.toFixed(1)), bytes },
      note: `${loadMs.toFixed(1)} ms (at most ${SNAPSHOT_LOAD_MS}) for 1,000 routes and 200 plugins, ${tableMs.toFixed(1)} ms of it for tables; ${(bytes / 1024).toFixed(0)} KiB`,
    },
  ]
}

function pickResult(key: string, nanos: number): RowResult {
  return {
    name: `${ROLLOUT_PICK} ${key}`,
    ratio: null,
    target: null,
    holds: nanos <= ROLLOUT_PICK_NANOS,
    cpuMicrosPerRequest: {},
    details: { nanos: Math.round(nanos) },
    note: `${nanos.toFixed(0)} ns (at most ${ROLLOUT_PICK_NANOS})`,
  }
}

/** A Worker for each of them: what one has done must not change how the other is optimised. */
async function figuresOf(
  scratch: string,
  name: 'host-calls' | 'starts' | 'routes' | 'rollout-pick',
): Promise<unknown> {
  const folder = join(scratch, name)
  await bundleWorker(name, folder)
  const modules = modulesOf(name, folder)
  const imports = modules.map(({ file }, index) => `import m${index} from './${file}'`)
  const list = modules.map(({ name }, index) => `{ name: '${name}', module: m${index} }`)
  writeFileSync(
    join(folder, 'modules.js'),
    `${imports.join('\n')}\nexport default [${list.join(', ')}]\n`,
  )
  await using side = await serve({
    folder,
    modules: ['worker.js', 'modules.js', ...modules.map(({ file }) => file)],
    compatibilityFlags: [],
    vars: {},
    isGateway: false,
  })
  const response = await fetch(`http://127.0.0.1:${side.port}/`)
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

function modulesOf(name: string, folder: string): readonly ModuleFile[] {
  if (name === 'starts') return shippedModules(folder)
  return name === 'host-calls' ? measuredModules(folder) : []
}

interface ModuleFile {
  readonly name: string
  readonly file: string
}

function shippedModules(folder: string): ModuleFile[] {
  return catalog().map(({ name, version, file }, index) => {
    const copy = `module-${index}.wasm`
    copyFileSync(file, join(folder, copy))
    return { name: `${name} ${version}`, file: copy }
  })
}

function measuredModules(folder: string): ModuleFile[] {
  return MEASURED_CALLS.map((call) => {
    const file = `${call.row}.wasm`
    writeFileSync(join(folder, file), hostCallModule(call))
    return { name: call.row, file }
  })
}
