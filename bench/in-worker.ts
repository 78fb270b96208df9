/** The rows without HTTP: a Worker measures itself in workerd and answers with the figures. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWorker, catalog } from './build.ts'
import { hostCallModule } from './host-call-module.ts'
import type { RowResult } from './report.ts'
import { serve } from './workerd.ts'
import type { InWorkerFigures } from './workers/in-worker.ts'

const HOST_CALL = 'host-call'
const INSTANTIATE = 'instantiate'
const HOST_CALL_TARGET = 5

export const inWorkerRows: readonly string[] = [HOST_CALL, INSTANTIATE]

/** @param wanted - which rows are asked for */
export async function measureInWorker(
  scratch: string,
  wanted: (name: string) => boolean,
): Promise<RowResult[]> {
  if (!inWorkerRows.some(wanted)) return []
  const figures = await figuresOf(join(scratch, 'in-worker'))
  const { linked, bare, ratio } = figures.hostCall
  const hostCall: RowResult = {
    name: HOST_CALL,
    ratio: Number(ratio.toFixed(2)),
    target: HOST_CALL_TARGET,
    holds: ratio <= HOST_CALL_TARGET,
    cpuMicrosPerRequest: {},
    details: { linkedNanos: Number(linked.toFixed(1)), bareNanos: Number(bare.toFixed(1)) },
    note: `at most; ${linked.toFixed(1)} ns linked, ${bare.toFixed(1)} ns bare`,
  }
  const starts = Object.entries(figures.instantiate).map(([name, micros]): RowResult => ({
    name: `${INSTANTIATE} ${name}`,
    ratio: null,
    target: null,
    holds: true,
    cpuMicrosPerRequest: {},
    details: { micros: Number(micros.toFixed(1)) },
    note: `${micros.toFixed(0)} µs`,
  }))
  return [...(wanted(HOST_CALL) ? [hostCall] : []), ...(wanted(INSTANTIATE) ? starts : [])]
}

async function figuresOf(folder: string): Promise<InWorkerFigures> {
  await bundleWorker('in-worker', folder)
  const modules = catalog()
  const files = modules.map(({ file }, index) => {
    const name = `module-${index}.wasm`
    copyFileSync(file, join(folder, name))
    return name
  })
  writeFileSync(join(folder, 'host-call.wasm'), hostCallModule())
  const imports = files.map((file, index) => `import m${index} from './${file}'`)
  const list = modules.map(
    ({ name, version }, index) => `{ name: '${name} ${version}', module: m${index} }`,
  )
  writeFileSync(
    join(folder, 'modules.js'),
    `${imports.join('\n')}\nexport default [${list.join(', ')}]\n`,
  )
  await using side = await serve({
    folder,
    modules: ['worker.js', 'modules.js', 'host-call.wasm', ...files],
    compatibilityFlags: [],
    vars: {},
    isGateway: false,
  })
  const response = await fetch(`http://127.0.0.1:${side.port}/`)
  return (await response.json()) as InWorkerFigures
}
