/**
 * How a policy change goes out to an edge and four stores, ring by ring, and how a bad one comes back by
 * itself. Everything an operator does is a `postern` command; customers pay all the while.
 */
import { join } from 'node:path'
import { run } from '../../src/cli/main.ts'
import type { RolloutsAnswer } from '../../src/cli/rollouts-answer.ts'
import { describeMove } from '../../src/config/describe-move.ts'
import { ADMIN_TOKEN } from '../../test/support/workerd.ts'
import { type Crowd, crowd, type Kind, KINDS } from './customers.ts'
import { type Retailer, startRetailer } from './nodes.ts'

/** What became of one rollout. */
export interface Run {
  readonly phase: string
  readonly reason: string
  /** Customers who were turned away, by node, though they have a key that is good. */
  readonly denied: Readonly<Record<string, number>>
  /** From the verdict to the last of them, in milliseconds; 0 when there was none after it. */
  readonly deniedForMs: number
}

export interface Story {
  readonly change: Run
  readonly hasty: Run
  readonly careful: Run
  /** Share of customers with their own phone who could pay, when the change was everywhere. */
  readonly letIn: number
  /** Answers that were neither an answer of the shop nor a denial. */
  readonly failed: number
  readonly requests: number
}

type State = RolloutsAnswer['rollouts'][string]

const POLL_MS = 250
const PATIENCE_MS = 180_000
const LAST_REPORTS_MS = 3_000
/** Requests of each node between two looks. */
const WHILE = 100

/** Tells it. @param say - hears what happens, a line at a time */
export async function tell(say: (line: string) => void): Promise<Story> {
  say('An edge and four stores start, each a gateway of its own.')
  const retailer = await startRetailer()
  try {
    return await new Narrator(retailer, say).tell()
  } finally {
    await retailer.stop()
  }
}

class Narrator {
  readonly #retailer: Retailer
  readonly #say: (line: string) => void
  readonly #began = Date.now()
  #customers: Crowd = crowd([])

  constructor(retailer: Retailer, say: (line: string) => void) {
    this.#retailer = retailer
    this.#say = say
  }

  async tell(): Promise<Story> {
    try {
      return await this.#tell()
    } finally {
      await this.#customers.leave()
    }
  }

  async #tell(): Promise<Story> {
    const say = this.#say
    await this.#postern('apply', '-f', file('policy.yaml'))
    await this.#allServe()
    this.#customers = crowd(this.#retailer.nodes)
    say(
      '\nCustomers come. Tills and kiosks have a key; who scans with his own phone has none that counts:',
    )
    await this.#look()

    say(
      '\n— The change: own phones may pay. As a shadow, then log-only, then in one store, then for all. —',
    )
    await this.#postern('apply', '-f', file('scan-and-go.yaml'))
    await this.#postern('rollout', 'start', 'scan-and-go')
    const change = await this.#follow('scan-and-go')
    await this.#postern('rollout', 'promote', 'scan-and-go')
    const letIn = await this.#look()

    say(
      "\n— The keys are written anew, and the kiosks' is forgotten. In a hurry: straight into a store. —",
    )
    await this.#postern('apply', '-f', file('hasty.yaml'))
    await this.#postern('rollout', 'start', 'new-keys')
    const hasty = await this.#follow('new-keys')

    say('\n— The same mistake once more, first as a shadow. —')
    await this.#postern('apply', '-f', file('careful.yaml'))
    await this.#postern('rollout', 'start', 'new-keys')
    const careful = await this.#follow('new-keys')
    await this.#postern('rollout', 'history')
    const { requests, failed } = this.#customers
    return { change, hasty, careful, letIn, failed, requests }
  }

  /** Waits until every node serves what was applied. */
  async #allServe(): Promise<void> {
    for (const { url } of this.#retailer.nodes) {
      const deadline = Date.now() + PATIENCE_MS
      while ((await fetch(`${url}/checkout`)).status !== 401) {
        if (Date.now() > deadline) throw new Error(`${url} never served the policy`)
        await sleep(POLL_MS)
      }
    }
  }

  /** Says each move of a rollout until it is complete or rolled back. */
  async #follow(name: string): Promise<Run> {
    const id = `default.${name}`
    const deniedBefore = this.#denied()
    let last = ''
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const { rollouts, history } = await this.#rollouts()
      const state = rollouts[id]
      const now = state && phaseOf(state)
      if (now !== undefined && now !== last) {
        this.#at(`${name}: ${now}`)
        last = now
        if (state?.phase === 'running') await this.#look()
      }
      if (state?.phase === 'complete' || state?.phase === 'rolled-back') {
        const verdict = history.findLast(
          ({ rollout, phase }) => rollout === id && phase === state.phase,
        )
        return await this.#outcome(state, verdict?.at ?? Date.now(), deniedBefore)
      }
      if (state?.phase === 'paused') throw new Error(`${name} is paused: ${state.reason}`)
      if (Date.now() > deadline) throw new Error(`${name} did not come to its end: ${last}`)
      await sleep(POLL_MS)
    }
  }

  async #outcome(state: State, at: number, before: ReadonlyMap<string, number>): Promise<Run> {
    // the last report may still be on its way
    await sleep(LAST_REPORTS_MS)
    await this.#look()
    const after = this.#denied()
    const denied = Object.fromEntries(
      [...after].flatMap(([node, count]) => {
        const own = count - (before.get(node) ?? 0)
        return own === 0 ? [] : [[node, own]]
      }),
    )
    const total = Object.values(denied).reduce((sum, count) => sum + count, 0)
    const deniedForMs = total === 0 ? 0 : Math.max(0, this.#customers.lastDeniedAt - at)
    const where = Object.entries(denied).map(([node, count]) => `${count} in ${node}`)
    this.#say(
      total === 0
        ? '  No customer with a good key was turned away.'
        : `  Customers with a good key who were turned away: ${where.join(', ')}; the last ${(deniedForMs / 1000).toFixed(1)} s after the verdict.`,
    )
    return { phase: state.phase, reason: state.reason, denied, deniedForMs }
  }

  /** Customers of tills and kiosks who have been turned away so far, by node. */
  #denied(): ReadonlyMap<string, number> {
    return new Map(
      this.#retailer.nodes.map(({ name }) => [name, this.#customers.deniedSoFar(name)]),
    )
  }

  /** Says who can pay now. @returns the share of those with their own phone */
  async #look(): Promise<number> {
    const customers = this.#customers
    customers.forget()
    await customers.more(WHILE)
    let [asked, letIn] = [0, 0]
    const shares = (kind: Kind): readonly string[] =>
      this.#retailer.nodes.map(({ name }) => {
        const seen = customers.seen(name, kind)
        if (kind === 'scan-and-go') {
          asked += seen.asked
          letIn += seen.asked - seen.denied
        }
        return `${name} ${Math.round((1 - seen.denied / seen.asked) * 100)} %`
      })
    const all = KINDS.map((kind) => ({ kind, shares: shares(kind) }))
    const some = all.filter((one) => one.shares.some((share) => !share.endsWith(' 100 %')))
    for (const { kind, shares: own } of some) this.#say(`    could pay, ${kind}: ${own.join(', ')}`)
    if (some.length === 0) this.#say('    everybody could pay')
    return letIn / asked
  }

  async #rollouts(): Promise<RolloutsAnswer> {
    const answer = await this.#retailer.edge.admin('/-/rollouts')
    return (await answer.json()) as RolloutsAnswer
  }

  /** Runs a command against the edge, as an operator would. @throws when it fails */
  async #postern(...args: string[]): Promise<void> {
    this.#at(`$ postern ${args.map((arg) => arg.replace(`${import.meta.dirname}/`, '')).join(' ')}`)
    let printed = ''
    const keep = (text: string): void => void (printed += text)
    const options = ['--gateway', this.#retailer.edge.url, '--token', ADMIN_TOKEN]
    const code = await run([...args, ...options], {
      cwd: import.meta.dirname,
      env: {},
      stdout: keep,
      stderr: keep,
      fetch,
    })
    for (const line of printed.trimEnd().split('\n')) this.#say(`    ${line}`)
    if (code !== 0 && code !== 3) throw new Error(`postern ${args.join(' ')} ended with ${code}`)
  }

  #at(line: string): void {
    const seconds = ((Date.now() - this.#began) / 1000).toFixed(1)
    this.#say(`${seconds.padStart(6)} s  ${line}`)
  }
}

/** Where a rollout is, in a few words; undefined while it is between two places. */
function phaseOf({ phase, reason, moves }: State): string | undefined {
  const last = moves.at(-1)
  const isMoving = phase === 'running' && (last === undefined || last.effectiveAt > Date.now())
  if (isMoving) return undefined
  const what = phase === 'running' && last !== undefined ? describeMove(last) : phase
  return `${what} (${reason})`
}

function file(name: string): string {
  return join(import.meta.dirname, name)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
