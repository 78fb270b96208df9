/** Versions that change while requests run: what a swap may cost anybody is nothing. */
import type { TestGateway } from './gateway.ts'
import { send } from './client.ts'
import { type KvFiles, kvFiles } from './kv-files.ts'
import { headerPolicy, upstreamAndRoute } from './policy.ts'

/** The origin's answer: version headers of both directions meet in one reply. */
export const ECHO_VERSION = 'x-seen'

/** A policy that marks both directions with a version of the module and of the configuration. */
export function marked(origin: string, version: string, mark: string): object[] {
  return [
    ...upstreamAndRoute(origin),
    headerPolicy(version, {
      request: { set: { 'x-asked': mark } },
      response: { set: { 'x-answered': mark } },
    }),
  ]
}

/** The same with a configuration that the plugin refuses. */
function refused(origin: string): object[] {
  return [...upstreamAndRoute(origin), headerPolicy('1.1.0', { response: { sett: {} } })]
}

export interface Swaps {
  readonly swaps: number
  readonly requests: number
  /** Requests that failed, or were served by two versions: a line each. */
  readonly wrong: readonly string[]
  /** Every configuration and module version that was seen. */
  readonly seen: ReadonlySet<string>
  /** Revisions whose plugin did not start, so that the version before went on. */
  readonly refused: number
}

/**
 * Swaps as often as it is told, each as soon as the one before is done, under the load of six clients.
 * Every tenth revision has a plugin that does not start.
 * @param base - the revision that runs
 */
export async function swapUnderLoad(
  gateway: TestGateway,
  base: number,
  swaps: number,
  progress: (done: number) => void = () => undefined,
): Promise<Swaps> {
  const kv = kvFiles(gateway.kv)
  const origin = gateway.origin.url
  const sound = await Promise.all(
    ['1.0.0', '1.1.0', '1.0.0', '1.1.0'].map((version, i) =>
      kv.compile(marked(origin, version, `v${i}`)),
    ),
  )
  const bad = await kv.compile(refused(origin))
  for (const named of [...sound, bad]) kv.putSnapshot(named)
  const load = new Load(gateway.url)
  let refusals = 0
  try {
    for (let i = 1; i <= swaps; i++) {
      const isBad = i % 10 === 0
      const { hash = '' } = (isBad ? bad : sound[i % sound.length]) ?? {}
      await swapTo(gateway, kv, base + i, hash)
      if (isBad) refusals++
      progress(i)
    }
  } finally {
    await load.end()
  }
  const { requests, wrong, seen } = load
  return { swaps, requests, wrong, seen, refused: refusals }
}

/** @throws when the gateway does not run that revision afterwards */
async function swapTo(
  gateway: TestGateway,
  kv: KvFiles,
  revision: number,
  hash: string,
): Promise<void> {
  kv.point(revision, hash)
  const answer = await gateway.admin('/-/refresh', { method: 'POST' })
  const status = (await answer.json()) as { revision: number }
  if (status.revision !== revision) throw new Error(`${status.revision} runs, not ${revision}`)
}

class Load {
  requests = 0
  readonly wrong: string[] = []
  readonly seen: Set<string> = new Set<string>()
  readonly #url: string
  readonly #clients: readonly Promise<void>[]
  #here = true

  constructor(url: string) {
    this.#url = url
    this.#clients = Array.from({ length: 6 }, () => this.#client())
  }

  async end(): Promise<void> {
    this.#here = false
    await Promise.all(this.#clients)
  }

  async #client(): Promise<void> {
    while (this.#here) {
      const reply = await send(`${this.#url}/`).catch((error: unknown) => String(error))
      this.requests++
      if (typeof reply === 'string') {
        this.wrong.push(reply)
        continue
      }
      const [asked, answered] = [reply.header(ECHO_VERSION), reply.header('x-answered')]
      this.seen.add(`${answered} ${reply.header('x-policy-version')}`)
      if (reply.status !== 200 || asked !== answered) {
        this.wrong.push(`${reply.status} ${asked} ${answered} ${reply.text}`)
      }
    }
  }
}
