/**
 * An upstream that is not always asked: one with allowed paths, and one that is left alone while it fails.
 * Upstreams that have neither are plain, and pay for neither.
 */
import type { OutlierPolicy, SnapshotUpstream } from '../config/snapshot.ts'
import type { LocalReply } from '../proxy-wasm/index.ts'
import { AllowedPaths } from './allowed-paths.ts'
import { errorReply, type GatewayErrorCode } from './errors.ts'
import type { Meters, UpstreamMeter } from './meters.ts'
import { Outlier } from './outlier.ts'
import { type Reachable, Upstream } from './upstream.ts'

export class GuardedUpstream extends Upstream {
  readonly #paths: AllowedPaths | undefined
  readonly #outlier: Outlier | undefined

  constructor(config: SnapshotUpstream, reachable: Reachable, meters: Meters, host?: string) {
    super(config, reachable, meters, host)
    const { allowedPaths, outlier } = config
    this.#paths = allowedPaths && new AllowedPaths(allowedPaths)
    this.#outlier = outlier && outlierOf(this.meter, outlier, config.url ?? config.service ?? '')
  }

  override get ejected(): boolean {
    return this.#outlier !== undefined && this.#outlier.remaining(Date.now()) > 0
  }

  #refusal(path: string): GatewayErrorCode | undefined {
    if (this.#paths?.allow(path) === false) return 'upstream.path_denied'
    if (!this.ejected) return undefined
    this.meter.unbound()
    return 'upstream.ejected'
  }

  override async fetch(path: string, init: RequestInit): Promise<Response> {
    const refusal = this.#refusal(path)
    if (refusal !== undefined) throw new Error(refusal)
    try {
      const response = await this.raw(path, init)
      this.#saw(response.status)
      return response
    } catch (error) {
      // what was given up says nothing
      if (!init.signal?.aborted) this.#saw(undefined)
      throw error
    }
  }

  override async forward(
    path: string,
    init: RequestInit,
    abort: AbortController | undefined,
    timeoutMs?: number,
  ): Promise<Response | LocalReply> {
    const refusal = this.#refusal(path)
    if (refusal !== undefined) return errorReply(refusal)
    const answer = await super.forward(path, init, abort, timeoutMs)
    if (answer instanceof Response) this.#saw(answer.status)
    else if (answer.details === 'upstream.timeout' || !abort?.signal.aborted) this.#saw(undefined)
    return answer
  }

  #saw(status: number | undefined): void {
    if (this.#outlier?.saw(status, Date.now())) this.meter.ejected()
  }
}

interface Kept {
  readonly identity: string
  readonly outlier: Outlier
}

/** By what stays the same over snapshots. */
const kept = new WeakMap<UpstreamMeter, Kept>()

/** What is not counted any more begins anew when it is counted again. */
export function forgetOutlier(meter: UpstreamMeter): void {
  kept.delete(meter)
}

/** What was seen of an upstream goes on counting in the next snapshot, if it is still the same one. */
function outlierOf(meter: UpstreamMeter, policy: OutlierPolicy, address: string): Outlier {
  const identity = JSON.stringify([address, policy])
  const before = kept.get(meter)
  if (before?.identity === identity) return before.outlier
  const outlier = new Outlier(policy)
  kept.set(meter, { identity, outlier })
  return outlier
}
