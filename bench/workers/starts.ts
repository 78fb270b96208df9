/** What it takes to start a vm of each shipped module, inside workerd. */
import { inMemoryPorts, loadModule, pluginSpec } from '../../src/proxy-wasm/index.ts'
import { Strand } from '../../src/proxy-wasm/vm/strand.ts'
import { Vm } from '../../src/proxy-wasm/vm/vm.ts'
import modules from './modules.js'

const MIN_STARTS = 5
const STARTS_MS = 300

/** Microseconds per module: instance, imports linked, `_initialize` or `_start`. */
export type StartFigures = Readonly<Record<string, number>>

/** Without configuration, which some plugins refuse: up to the point where contexts are made. */
function measureStarts(): StartFigures {
  const ports = inMemoryPorts()
  const micros: Record<string, number> = {}
  for (const { name, module } of modules) {
    const spec = pluginSpec({ name, module: loadModule(module, name) })
    const times: number[] = []
    const until = performance.now() + STARTS_MS
    while (times.length < MIN_STARTS || performance.now() < until) {
      // the clock is too coarse for one: several at a time
      const start = performance.now()
      for (let i = 0; i < MIN_STARTS; i++) new Vm(name, spec, ports, new Strand()).close()
      times.push(((performance.now() - start) * 1000) / MIN_STARTS)
    }
    micros[name] = times.reduce((sum, time) => sum + time, 0) / times.length
  }
  return micros
}

const worker = {
  fetch: (): Response => Response.json(measureStarts()),
}

export default worker
