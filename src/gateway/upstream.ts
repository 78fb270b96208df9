/**
 * Where requests and callouts go: an upstream's URL or service binding, found by its name or an alias.
 * Redirects are passed through; a timeout counts until the response's headers.
 */
import type { RetryPolicy, SnapshotUpstream } from '../config/snapshot.ts'
import { errorReply } from './errors.ts'
import type { LocalReply } from '../proxy-wasm/index.ts'
import { resolvedPath } from '../proxy-wasm/stream/fetch-headers.ts'
import { Meters, type UpstreamMeter } from './meters.ts'

/** Something that answers requests: a service binding, or the network. */
export interface Fetcher {
  fetch(url: string, init: RequestInit): Promise<Response>
}

/** What the gateway can reach. */
export interface Reachable {
  readonly network: Fetcher
  /** @returns the binding of that name, or undefined when the Worker has none */
  service(name: string): Fetcher | undefined
}

export class Upstream {
  readonly name: string
  readonly timeoutMs: number
  /** For rules that say nothing of retries. */
  readonly retry: RetryPolicy | undefined
  /** Whoever sends a request counts what came of it. */
  readonly meter: UpstreamMeter
  readonly #base: string
  readonly #hasPath: boolean
  readonly #isService: boolean
  readonly #fetcher: Fetcher | undefined

  /** @param host - what a service binding is asked for; its name when absent */
  constructor(
    config: SnapshotUpstream,
    reachable: Reachable,
    meters: Meters = new Meters(),
    host?: string,
  ) {
    this.name = config.name
    this.meter = meters.upstream(config.name)
    this.timeoutMs = config.timeoutMs
    this.retry = config.retry
    this.#isService = config.service !== undefined
    // a binding ignores the URL's host; its name makes logs of the other side readable
    const url = config.url ?? `http://${host ?? config.service ?? config.name}`
    this.#base = url.endsWith('/') ? url.slice(0, -1) : url
    this.#hasPath = this.#base.includes('/', this.#base.indexOf('://') + 3)
    this.#fetcher =
      config.service === undefined ? reachable.network : reachable.service(config.service)
  }

  /** Host and port of its URL. */
  get authority(): string {
    return this.#base.slice(this.#base.indexOf('://') + 3).split('/', 1)[0] as string
  }

  /** Host and port, or undefined for a binding, which has neither. */
  get address(): string | undefined {
    if (this.#isService) return undefined
    const { authority } = this
    if (/:\d+$/.test(authority)) return authority
    return `${authority}:${this.#base.startsWith('https:') ? 443 : 80}`
  }

  /** Whether it can be reached at all: a binding that the Worker lacks cannot. */
  get bound(): boolean {
    return this.#fetcher !== undefined
  }

  /** Whether it is left alone now, as it has failed too often. */
  get ejected(): boolean {
    return false
  }

  /**
   * Sends a request.
   * @param path - with query; put behind the upstream's own path
   * @throws what the platform's fetch throws
   */
  fetch(path: string, init: RequestInit): Promise<Response> {
    return this.raw(path, init)
  }

  /** Sends a request, whatever its policies say. */
  protected raw(path: string, init: RequestInit): Promise<Response> {
    const fetcher = this.#fetcher
    if (fetcher === undefined) return Promise.reject(new Error('no such service binding'))
    // a plugin's path may be anything: without a slash it would go on writing host and port
    const rooted = path.charCodeAt(0) === 0x2f ? path : `/${path}`
    // dots are resolved before the upstream's own path is put before them: they do not lead out of it
    return fetcher.fetch(this.#base + (this.#hasPath ? resolvedPath(rooted) : rooted), init)
  }

  /**
   * Sends a request on behalf of a client.
   * @param abort - gives the exchange up at the timeout; without one the end of the request does, which
   *   follows the reply
   * @param timeoutMs - until the response's headers; 0: no bound
   * @returns the response, or the gateway's reply in its place
   */
  forward(
    path: string,
    init: RequestInit,
    abort: AbortController | undefined,
    timeoutMs: number = this.timeoutMs,
  ): Promise<Response | LocalReply> {
    const { meter } = this
    if (!this.bound) {
      meter.unbound()
      return Promise.resolve(errorReply('upstream.unknown'))
    }
    return new Promise((resolve) => {
      let late = false
      const tooLate = (): void => {
        late = true
        meter.timedOut()
        resolve(errorReply('upstream.timeout'))
        abort?.abort()
      }
      const timer = timeoutMs === 0 ? undefined : setTimeout(tooLate, timeoutMs)
      this.raw(path, init).then(
        (response) => {
          if (late) return
          if (timer !== undefined) clearTimeout(timer)
          meter.answered(response.status)
          resolve(response)
        },
        () => {
          if (late) return
          if (timer !== undefined) clearTimeout(timer)
          // when the client has gone, the upstream has not failed
          if (!abort?.signal.aborted) meter.failed()
          resolve(errorReply('upstream.unreachable'))
        },
      )
    })
  }
}
