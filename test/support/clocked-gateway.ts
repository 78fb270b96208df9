/**
 * A gateway whose time a test moves, and which can be stopped and started again on the same store, at the
 * time it has come to. Hours pass in it in no time; nothing but `Date.now` and the rollout object's alarm
 * is moved.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RolloutsRecord } from '../../src/rollout/record.ts'
import type { RolloutState } from '../../src/rollout/state.ts'
import { gatewayOf, type TestGateway } from './gateway.ts'
import { type Handler, type Origin, startOrigin } from './origin.ts'
import { startWorkerd, type Workerd, type WorkerdOptions } from './workerd.ts'

const PATIENCE_MS = 10_000

type Options = WorkerdOptions & { readonly handler?: Handler }

export class ClockedGateway {
  /** The one that runs; another one after `restart`. */
  gateway: TestGateway
  readonly origin: Origin
  readonly #options: Options
  readonly #folder: string
  #workerd: Workerd
  readonly #others: Workerd[] = []
  #ahead = 0

  private constructor(workerd: Workerd, origin: Origin, options: Options, folder: string) {
    this.#workerd = workerd
    this.gateway = gatewayOf(workerd, origin)
    this.origin = origin
    this.#options = options
    this.#folder = folder
  }

  static async start(options: Options = {}): Promise<ClockedGateway> {
    const origin = await startOrigin(options.handler)
    const folder = mkdtempSync(join(tmpdir(), 'postern-clocked-'))
    const workerd = await startWorkerd(at(options, folder, 0))
    return new ClockedGateway(workerd, origin, options, folder)
  }

  /** What time it is in the gateway: milliseconds since the Unix epoch. */
  now(): number {
    return Date.now() + this.#ahead
  }

  /** Lets time pass in every isolate; the alarm runs when that makes it due. */
  async advance(ms: number): Promise<void> {
    this.#ahead += ms
    const { url, twin } = this.gateway
    const path = `test/clock?ahead=${this.#ahead}`
    for (const isolate of [twin, ...this.#others.map((other) => other.url)]) {
      await post(`${isolate}/${path}`)
    }
    await post(`${url}/${path}&alarms`)
  }

  /** Another node, which reads the same store: its time goes along with this one's. */
  async another(vars: WorkerdOptions['vars']): Promise<Workerd> {
    const folder = join(this.#folder, `node-${this.#others.length}`)
    const options = { ...this.#options, vars: { ...this.#options.vars, ...vars } }
    const node = await startWorkerd({
      ...at(options, folder, this.#ahead),
      kvFolder: this.gateway.kv,
    })
    this.#others.push(node)
    return node
  }

  /** Lets the rollout object end at one of its next writes: that one is not done. @param write - 1: the next */
  async dieAt(write: number): Promise<void> {
    await post(`${this.gateway.url}/test/die?at=${write}`)
  }

  /** At which kinds of write it has ended so far. */
  async deaths(): Promise<readonly string[]> {
    return (await post(`${this.gateway.url}/test/die`)).json() as Promise<string[]>
  }

  /** Stops it and starts it again on the same store. @param signal - how: SIGKILL is a crash */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#workerd.stop(signal)
    this.#workerd = await startWorkerd(at(this.#options, this.#folder, this.#ahead))
    this.gateway = gatewayOf(this.#workerd, this.origin)
  }

  /** Asks the controller to do something. @returns what it answered */
  async act(rollout: string, action: string): Promise<Response> {
    const body = JSON.stringify({ rollout, action, by: 'ada' })
    return this.gateway.admin('/-/rollouts', { method: 'POST', body })
  }

  async record(): Promise<RolloutsRecord> {
    const response = await this.gateway.admin('/-/rollouts')
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as RolloutsRecord
  }

  /** Waits until the controller says so. @throws with its record when it never does */
  async until(
    rollout: string,
    what: string,
    holds: (state: RolloutState) => boolean,
  ): Promise<RolloutState> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const record = await this.record()
      const state = record.rollouts[rollout]
      if (state !== undefined && holds(state)) return state
      if (Date.now() > deadline) {
        throw new Error(`never ${what}: ${JSON.stringify(record, null, 2)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  async stop(): Promise<void> {
    for (const other of this.#others) await other.stop()
    await this.gateway.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function at(options: Options, folder: string, ahead: number): WorkerdOptions {
  const vars = { ...options.vars, CLOCK_AHEAD_MS: `${ahead}` }
  return { ...options, folder, vars, clock: 'movable' }
}

async function post(url: string): Promise<Response> {
  const response = await fetch(url, { method: 'POST' })
  if (!response.ok) throw new Error(await response.text())
  return response
}
