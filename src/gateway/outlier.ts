/**
 * Leaves an upstream alone that fails again and again, each time longer. Counted in one isolate; another
 * finds out for itself.
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
import type { OutlierPolicy } from '../config/snapshot.ts'

export class Outlier {
  readonly policy: OutlierPolicy
  #failures = 0
  #gatewayErrors = 0
  /** Ejections in a row; one less for each quiet `baseEjectionMs` since the last. */
  #times = 0
  #until = 0

  constructor(policy: OutlierPolicy) {
    this.policy = policy
  }

  /** Milliseconds until it is tried again; 0: now. */
  remaining(now: number): number {
    return Math.max(0, this.#until - now)
  }

  /**
   * @param status - of an answer; undefined: there was none
   * @returns whether that was one too many
   */
  saw(status: number | undefined, now: number): boolean {
    if (status !== undefined && status < 500) {
      this.#failures = 0
      this.#gatewayErrors = 0
      return false
    }
    // what began before it was ejected says nothing new
    if (now < this.#until) return false
    const { consecutive5xx, consecutiveGatewayErrors } = this.policy
    this.#failures += 1
    this.#gatewayErrors = isGatewayError(status) ? this.#gatewayErrors + 1 : 0
    const tooMany =
      (consecutive5xx !== undefined && this.#failures >= consecutive5xx) ||
      (consecutiveGatewayErrors !== undefined && this.#gatewayErrors >= consecutiveGatewayErrors)
    if (tooMany) this.#eject(now)
    return tooMany
  }

  #eject(now: number): void {
    const { baseEjectionMs, maxEjectionMs } = this.policy
    const quiet = Math.floor((now - this.#until) / baseEjectionMs)
    this.#times = Math.max(0, this.#times - quiet) + 1
    this.#until = now + Math.min(maxEjectionMs, this.#times * baseEjectionMs)
    this.#failures = 0
    this.#gatewayErrors = 0
  }
}

function isGatewayError(status: number | undefined): boolean {
  return status === undefined || (status >= 502 && status <= 504)
}
