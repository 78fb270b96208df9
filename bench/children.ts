/**
 * The processes around workerd: upstream and load generator, both on the first core; workerd has the
 * second one to itself. Every process is a child that is stopped by its pid.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { LoadOrder, LoadResult } from './load.ts'

const LOAD_CORE = '0'
const WORKERD_CORE = '1'

const pins = availableParallelism() > 1 && spawnSync('taskset', ['--version']).error === undefined

/** A command line that runs on one core, where cores can be had. */
export function pinned(core: 'load' | 'workerd', command: readonly string[]): readonly string[] {
  if (!pins) return command
  return ['taskset', '-c', core === 'load' ? LOAD_CORE : WORKERD_CORE, ...command]
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await gone
  clearTimeout(late)
}

function startScript(file: string): ChildProcess {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const [command = '', ...args] = pinned('load', [process.execPath, script])
  return spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

export interface Surroundings extends AsyncDisposable {
  readonly upstreamPort: number
  load(order: LoadOrder): Promise<LoadResult>
}

/** Starts upstream and load generator. */
export async function startSurroundings(): Promise<Surroundings> {
  const upstream = startScript('upstream.ts')
  const load = startScript('load.ts')
  const [upstreamPort] = (await once(upstream, 'message')) as [number]
  return {
    upstreamPort,
    async load(order) {
      const answered = once(load, 'message')
      load.send(order)
      const [result] = (await answered) as [LoadResult]
      return result
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([stop(upstream), stop(load)])
    },
  }
}
