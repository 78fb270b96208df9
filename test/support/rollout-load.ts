/** Requests of many users to the isolates of a gateway, and which side of a rollout each of them got. */
import { ANSWERED, SEEN } from './rollout-policy.ts'

/** What came of one request. */
export interface Told {
  readonly user: string
  readonly status: number
  /** The mark with which the request came to the origin; null for one that did not come there. */
  readonly seen: string | null
  /** The mark with which the response came back. */
  readonly answered: string | null
}

/** One request of a user. @throws when it fails */
export async function ask(
  url: string,
  user: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const response = await fetch(`${url}/`, { headers: { 'x-user': user, ...headers } })
  await response.arrayBuffer()
  return {
    user,
    status: response.status,
    seen: response.headers.get(SEEN),
    answered: response.headers.get(ANSWERED),
  }
}

/**
 * So many requests, as many at a time as given.
 * @param of - the n-th: to whom, of whom, with what
 */
export async function askMany(
  count: number,
  of: (n: number) => Parameters<typeof ask>,
  atATime = 24,
): Promise<readonly Told[]> {
  const all: Told[] = []
  let next = 0
  const client = async (): Promise<void> => {
    while (next < count) all.push(await ask(...of(next++)))
  }
  await Promise.all(Array.from({ length: atATime }, client))
  return all
}

/**
 * A load that goes on until it is ended: each user asks the isolates in turn, one request after the other,
 * and nobody may see an error, two versions in one exchange, or, while weights rise, the stable version after
 * the candidate.
 */
export class RolloutLoad {
  requests = 0
  /** What must not be: a line each. */
  readonly wrong: string[] = []
  readonly #urls: readonly string[]
  readonly #users: readonly string[]
  readonly #clients: readonly Promise<void>[]
  /** The last mark that a user got; of rises for all isolates, of going back for each. */
  readonly #last = new Map<string, string>()
  #rising = true
  #here = true

  /** @param urls - of isolates; @param clients - how many requests there are at a time */
  constructor(urls: readonly string[], users: readonly string[], clients: number) {
    this.#urls = urls
    this.#users = users
    this.#clients = Array.from({ length: clients }, (_, client) => this.#client(client, clients))
  }

  /** From now on weights rise: who has the candidate keeps it. */
  rises(): void {
    this.#last.clear()
    this.#rising = true
  }

  /** From now on everybody goes back: who has the stable version again keeps it. */
  goesBack(): void {
    this.#last.clear()
    this.#rising = false
  }

  async end(): Promise<void> {
    this.#here = false
    await Promise.all(this.#clients)
  }

  /** One client has the same users for good, so that what each of them gets comes in order. */
  async #client(client: number, clients: number): Promise<void> {
    const users = this.#users.filter((_, user) => user % clients === client)
    for (let n = 0; this.#here; n++) {
      for (const user of users) {
        const isolate = n % this.#urls.length
        const rising = this.#rising
        const told = await ask(this.#urls[isolate] ?? '', user).catch((error: unknown) => error)
        this.requests += 1
        if (!(told instanceof Object && 'seen' in told)) this.wrong.push(`${user}: ${told}`)
        // begun before the weights turned: it says nothing of how they turn
        else if (rising === this.#rising) this.#look(told as Told, rising ? '' : `${isolate}`)
        else this.#lookAtOne(told as Told)
        if (!this.#here) return
      }
    }
  }

  #lookAtOne({ user, status, seen, answered }: Told): void {
    if (status !== 200 || seen === null || seen !== answered) {
      this.wrong.push(`${user}: ${status}, asked as ${seen}, answered as ${answered}`)
    }
  }

  #look(told: Told, isolate: string): void {
    this.#lookAtOne(told)
    const { user, answered } = told
    const key = `${user} ${isolate}`
    const end = this.#rising ? 'new' : 'old'
    if (this.#last.get(key) === end && answered !== end) {
      this.wrong.push(
        `${user}: ${answered} after ${end}, ${this.#rising ? 'rising' : 'going back'}`,
      )
    }
    if (answered !== null) this.#last.set(key, answered)
  }
}
