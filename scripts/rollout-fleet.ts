/**
 * Nodes that serve requests on paper. Each has an error rate of its own, and all have bad minutes
 * together, as they do when an upstream is down: a candidate must not be blamed for either.
 */

export interface FleetOptions {
  readonly nodes: number
  /** Of the requests that go to the candidate. */
  readonly share: number
  /** Each node's rate is so many times as high; 1 when absent. */
  readonly times?: number
  /** What the candidate adds to each node's rate of errors. */
  readonly added: number
  readonly seed: number
}

export interface FleetTally {
  requests: number
  serverErrors: number
}

/** Of a node, by chance, between these two. */
const RATES = [0.001, 0.01] as const
/** One batch in so many comes in a bad minute, in which the rate is so many times as high. */
const BAD_EVERY = 50
const BAD_TIMES = 10

export class Fleet {
  readonly stable: FleetTally = { requests: 0, serverErrors: 0 }
  readonly candidate: FleetTally = { requests: 0, serverErrors: 0 }
  readonly #options: FleetOptions
  readonly #rates: readonly number[]
  #state: number

  constructor(options: FleetOptions) {
    this.#options = options
    this.#state = Math.imul(options.seed, 0x9e3779b1)
    const { nodes, times = 1 } = options
    this.#rates = Array.from(
      { length: nodes },
      () => times * (RATES[0] + (RATES[1] - RATES[0]) * this.#random()),
    )
  }

  /** One batch of requests of one node. */
  serve(requests: number): void {
    const { share, added } = this.#options
    const node = Math.floor(this.#random() * this.#rates.length)
    const times = this.#random() < 1 / BAD_EVERY ? BAD_TIMES : 1
    const rate = (this.#rates[node] ?? 0) * times
    // who gets the candidate is settled by keys: of a batch it is the share, give or take one
    const given = Math.floor(requests * share + this.#random())
    this.candidate.requests += given
    this.candidate.serverErrors += this.#happenings(given, rate + added)
    this.stable.requests += requests - given
    this.stable.serverErrors += this.#happenings(requests - given, rate)
  }

  /** How often something happens in so many trials: exact, in as many turns as it happens. */
  #happenings(trials: number, rate: number): number {
    if (rate > 0.5) return trials - this.#happenings(trials, 1 - rate)
    if (rate <= 0) return 0
    const scale = 1 / Math.log1p(-rate)
    let happened = 0
    for (let at = this.#gap(scale); at < trials; at += 1 + this.#gap(scale)) happened += 1
    return happened
  }

  /** How many trials pass before it happens: the geometric distribution. */
  #gap(scale: number): number {
    return Math.floor(Math.log(1 - this.#random()) * scale)
  }

  /** Mulberry32: from 0 to 1, without 1. */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
