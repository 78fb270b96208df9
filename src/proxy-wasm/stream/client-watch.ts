/**
 * Hears when the client of a stream leaves. The signal of a request lives until a full collection in
 * workerd; so it holds this small object only, which forgets the stream when that has ended. That also
 * spares the removal of a listener.
 */
export class ClientWatch {
  #left: (() => void) | undefined

  /** @param left - called at once when the client has left already */
  constructor(signal: AbortSignal, left: () => void) {
    this.#left = left
    const heard = (): void => this.#left?.()
    if (signal.aborted) left()
    // the property costs less than a listener, but it may be somebody else's
    else if (signal.onabort) signal.addEventListener('abort', heard)
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    else signal.onabort = heard
  }

  stop(): void {
    this.#left = undefined
  }
}
