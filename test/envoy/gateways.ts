/** The two gateways, seen the same way: where to send, and what has been logged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayOf } from '../support/gateway.ts'
import type { Origin } from '../support/origin.ts'
import { startWorkerd } from '../support/workerd.ts'
import { envoyBootstrap, envoyListeners } from './envoy-config.ts'
import { freePorts } from './free-ports.ts'
import { Journal } from './journal.ts'
import { posternPolicy } from './postern-policy.ts'
import type { Numbered } from './scenario.ts'
import type { Upstreams } from './upstreams.ts'

export interface Peer {
  readonly name: 'envoy' | 'postern'
  readonly journal: Journal
  /** Where a scenario's requests go. */
  urlOf(scenario: Numbered): string
  /** Whether the scenario's plugins were refused when they were configured. */
  refuses(scenario: Numbered): Promise<boolean>
  /** Whether it has ended by itself. */
  crashed(): boolean
  /** Ends all plugins, then the process. */
  stop(): Promise<void>
}

const START_MS = 60_000

/** @param path - Envoy's executable */
export async function startEnvoy(
  path: string,
  scenarios: readonly Numbered[],
  upstreams: Upstreams,
): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-envoy-'))
  const [adminPort = 0, ...free] = await freePorts(scenarios.length + 1)
  const ports = new Map(scenarios.map(({ id }, i) => [id, free[i] ?? 0]))
  const listeners = join(folder, 'listeners.json')
  const bootstrap = join(folder, 'envoy.json')
  writeFileSync(listeners, JSON.stringify(envoyListeners(scenarios, ports)))
  writeFileSync(
    bootstrap,
    JSON.stringify(envoyBootstrap(scenarios, upstreams, adminPort, listeners)),
  )
  const args = ['-c', bootstrap, '--concurrency', '1', '-l', 'error', '--use-dynamic-base-id']
  const logging = ['--component-log-level', 'wasm:info', '--log-format', '%t %v']
  const child = spawn(path, [...args, ...logging], { stdio: ['ignore', 'ignore', 'pipe'] })
  const journal = new Journal('envoy')
  child.stderr.on('data', (data: Buffer) => journal.feed(data))
  const urlOf = ({ id }: Numbered): string => `http://127.0.0.1:${ports.get(id) ?? 0}`
  const admin = `http://127.0.0.1:${adminPort}`
  const live = await untilLive(admin, child)
  let asked = false
  let crash = false
  child.once('exit', () => (crash = !asked))
  const crashed = (): boolean => crash
  const stop = async (): Promise<void> => {
    asked = true
    await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
  if (!live) {
    await stop()
    throw new Error(`Envoy did not start:\n${journal.text.slice(-4000)}`)
  }
  const answer = await fetch(`${admin}/listeners?format=json`)
  const { listener_statuses: statuses } = (await answer.json()) as {
    listener_statuses?: readonly { readonly name: string }[]
  }
  const accepted = new Set(statuses?.map(({ name }) => name))
  const refuses: Peer['refuses'] = async ({ id }) => !accepted.has(id)
  return { name: 'envoy', journal, urlOf, refuses, crashed, stop }
}

async function untilLive(admin: string, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + START_MS
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${admin}/ready`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await exit
  clearTimeout(late)
}

/** The built Worker with all scenarios that are not to be refused. */
export async function startPostern(
  scenarios: readonly Numbered[],
  upstreams: Upstreams,
): Promise<Peer> {
  const workerd = await startWorkerd({
    vars: { REFRESH_SECONDS: '600', MAX_STALE_SECONDS: '1200', VM_MEMORY_MB: '8192' },
  })
  const [anyOrigin] = upstreams.origins.values()
  const gateway = gatewayOf(workerd, anyOrigin as Origin)
  const running = scenarios.filter(({ refused }) => refused !== true)
  try {
    await gateway.policy(posternPolicy(running, upstreams))
  } catch (error) {
    await workerd.stop()
    throw error
  }
  const journal = new Journal('postern')
  let read = workerd.output().length
  const follow = setInterval(() => {
    const output = workerd.output()
    journal.feed(output.slice(read))
    read = output.length
  }, 5)
  return {
    name: 'postern',
    journal,
    urlOf: () => workerd.url,
    async refuses(scenario) {
      if (scenario.refused !== true) return false
      const { revision } = await gateway.status()
      const { result } = await gateway.apply({
        resources: posternPolicy([scenario], upstreams),
        base: revision,
        prune: true,
        dryRun: true,
        by: 'compare',
      })
      return result.result === 'refused'
    },
    crashed: () => false,
    async stop() {
      await gateway.policy([])
      await new Promise((resolve) => setTimeout(resolve, 200))
      clearInterval(follow)
      await workerd.stop()
    },
  }
}
