/**
 * What waits to be done to one stream when no guest runs and its own request does, and who waits for
 * it. Anybody may post; only the stream's own request takes.
 */
import type { Direction } from './effects.ts'
import type { Filter } from './filter.ts'
import type { LocalReply } from './local-reply.ts'

export type Mail =
  | { readonly kind: 'resume'; readonly filter: Filter; readonly direction: Direction }
  | { readonly kind: 'local-reply'; readonly filter: Filter; readonly reply: LocalReply }
  | { readonly kind: 'reset'; readonly details: string }
  | { readonly kind: 'vm-failed'; readonly filter: Filter }

export class Mailbox {
  #mail: Mail[] = []
  /** Resolvers of promises that belong to the stream's own request; more than one while both bodies move. */
  readonly #waiters = new Set<() => void>()

  get empty(): boolean {
    return this.#mail.length === 0
  }

  put(mail: Mail): void {
    this.#mail.push(mail)
  }

  take(): Mail | undefined {
    return this.#mail.shift()
  }

  /** Takes the first mail that ends the passage of the callback it came from, out of its turn. */
  takeEnding(): Mail | undefined {
    if (this.#mail.length === 0) return undefined
    const at = this.#mail.findIndex(({ kind }) => kind === 'local-reply' || kind === 'reset')
    return at < 0 ? undefined : this.#mail.splice(at, 1)[0]
  }

  /** Whether a local reply waits to be delivered. */
  get answered(): boolean {
    return this.#mail.some(({ kind }) => kind === 'local-reply')
  }

  clear(): void {
    this.#mail = []
  }

  /**
   * Waits until woken, for at most `ms`; not at all while there is mail.
   * @param after - the timers port
   */
  wait(ms: number, after: (ms: number, callback: () => void) => () => void): Promise<void> {
    if (!this.empty) return Promise.resolve()
    return new Promise((resolve) => {
      const woken = (): void => {
        cancel()
        resolve()
      }
      const cancel = after(ms, () => {
        this.#waiters.delete(woken)
        resolve()
      })
      this.#waiters.add(woken)
    })
  }

  /** Waits for `promise` or until woken. @returns what the promise gives, or undefined when woken first */
  waitOr<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const woken = (): void => resolve(undefined)
      this.#waiters.add(woken)
      // once for every chunk of a body: `finally` would make two more promises
      promise.then(
        (value) => {
          this.#waiters.delete(woken)
          resolve(value)
        },
        (error: unknown) => {
          this.#waiters.delete(woken)
          reject(error as Error)
        },
      )
      if (!this.empty) resolve(undefined)
    })
  }

  /** Lets everybody look who waits. */
  wake(): void {
    if (this.#waiters.size === 0) return
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const waiter of waiters) waiter()
  }
}
