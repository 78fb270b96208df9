/**
 * How often an address has shown a wrong token of late. It is kept in this isolate's memory alone, for
 * a bounded number of addresses: what it slows down is guessing, and a token worth its name cannot be
 * guessed at this rate in any number of isolates.
 */
const WRONG = 10
const WINDOW_MS = 60_000
const ADDRESSES = 1_000

interface Window {
  wrong: number
  readonly endsAt: number
}

export class Guesses {
  /** In the order in which the windows began, so the first one ends first. */
  readonly #windows = new Map<string, Window>()

  /**
   * @param address - the client's, empty where nobody knows it
   * @param now - milliseconds since the Unix epoch
   * @returns seconds until the address may try again; 0 when it may now
   */
  retryAfter(address: string, now: number): number {
    const window = this.#windows.get(network(address))
    if (window === undefined || window.wrong < WRONG || now >= window.endsAt) return 0
    return Math.ceil((window.endsAt - now) / 1000)
  }

  /** Counts a wrong token. */
  wrong(address: string, now: number): void {
    const key = network(address)
    const window = this.#windows.get(key)
    if (window !== undefined && now < window.endsAt) {
      window.wrong += 1
      return
    }
    this.#windows.delete(key)
    const [first] = this.#windows.keys()
    if (first !== undefined && this.#windows.size >= ADDRESSES) this.#windows.delete(first)
    this.#windows.set(key, { wrong: 1, endsAt: now + WINDOW_MS })
  }
}

/** Who has an IPv6 address has all of its /64. */
function network(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':')
  if (tail !== undefined) {
    const left = 8 - groups.length - tail.split(':').length
    for (let i = 0; i < left; i++) groups.push('0')
  }
  return groups.slice(0, 4).join(':')
}
