/** Values by host name, the most specific first: the name itself, wildcards by their length, every host. */
export class HostMap<T> {
  readonly #exact = new Map<string, T>()
  /** By what follows the `*`, with its dot. */
  readonly #wildcard = new Map<string, T>()
  #every: T | undefined

  /** The value of exactly that name, made when there is none. @param hostname - undefined: every host */
  at(hostname: string | undefined, make: () => T): T {
    if (hostname === undefined) return (this.#every ??= make())
    const wild = hostname.startsWith('*.')
    const table = wild ? this.#wildcard : this.#exact
    const name = wild ? hostname.slice(1) : hostname
    let value = table.get(name)
    if (value === undefined) {
      value = make()
      table.set(name, value)
    }
    return value
  }

  /**
   * Asks the values whose names a host has, one after the other.
   * @param ask - undefined lets the next one be asked
   */
  find<R>(host: string, ask: (value: T) => R | undefined): R | undefined {
    const exact = this.#exact.get(host)
    const found = exact && ask(exact)
    if (found !== undefined) return found
    if (this.#wildcard.size > 0) {
      // from the longest suffix to the shortest
      for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const value = this.#wildcard.get(host.slice(dot))
        const match = value && ask(value)
        if (match !== undefined) return match
      }
    }
    return this.#every && ask(this.#every)
  }
}
