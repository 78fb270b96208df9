/**
 * The thread in which guests run: one that does not come back is ended with it. It plays what it is sent,
 * one request at a time.
 */
import { readFile } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { describeError, type LoadedModule } from '../../proxy-wasm/index.ts'
import { Simulation } from '../../simulate/simulation.ts'
import { compileModule } from '../../testing/plugin-under-test.ts'
import { SIDE_NUMBERS, type ToMain, type ToWorker, type WorkerSetup } from './worker-messages.ts'

const port = parentPort
if (port === null) throw new Error('this file is run as a worker thread')
const { files, nodeLabels, side, ...setup } = workerData as WorkerSetup
const now = new Int32Array(side)
const answer = (message: ToMain): void => port.postMessage(message)

/** A module that cannot be had is told by the plugin that needs it, as at a gateway. */
async function compiled(): Promise<ReadonlyMap<string, LoadedModule>> {
  const modules = new Map<string, LoadedModule>()
  for (const [sha256, path] of files) {
    try {
      modules.set(sha256, await compileModule(new Uint8Array(await readFile(path))))
    } catch (error) {
      answer({ kind: 'module', message: `${path}: ${describeError(error)}` })
    }
  }
  return modules
}

const modules = await compiled()
answer({ kind: 'loaded' })
const simulation = await Simulation.open({
  ...setup,
  modules: { modules: [], load: (sha256) => modules.get(sha256) },
  node: { labels: nodeLabels, hostEnv: () => undefined },
  onSide: (at) => void Atomics.store(now, 0, at === undefined ? 0 : SIDE_NUMBERS[at]),
})
if (simulation instanceof Simulation) {
  port.on('message', ({ exchange }: ToWorker) => {
    simulation.play(exchange).then(
      (played) => answer({ kind: 'played', played }),
      (error: unknown) => {
        // a fault of ours, not of a plugin
        queueMicrotask(() => {
          throw error
        })
      },
    )
  })
  answer({ kind: 'ready' })
} else {
  answer({ kind: 'not-started', notStarted: simulation })
}
