/**
 * Host calls of plugins that are counted: linked in place of the plain ones, so that nobody else pays for
 * the counting. What is called in a stream's context is that stream's; what a root context calls (ticks,
 * queues, configuration) is nobody's.
 */
import { Status } from '../abi/enums.ts'
import type { MetricsPort } from '../ports.ts'
import type { GuestMetric, Tally } from '../stream/tally.ts'
import type { HostFunction } from './link.ts'

/** Whoever knows which stream the guest acts on now. */
interface Acting {
  readonly tally: Tally | undefined
}

/** The same host call, counted before it is made. */
export function counted(vm: Acting, call: HostFunction): HostFunction {
  return (...args) => {
    const { tally } = vm
    if (tally !== undefined) tally.hostCalls++
    return call(...args)
  }
}

/**
 * The same metrics; what a stream adds to them is in its tally, too.
 * @param defined - takes what the vm defines, by id
 */
export function countedMetrics(
  metrics: MetricsPort,
  vm: Acting,
  defined: Map<number, GuestMetric>,
): MetricsPort {
  const tell = (id: number, value: bigint, status: Status): Status => {
    const metric = defined.get(id)
    if (status === Status.Ok && metric !== undefined) vm.tally?.record(metric, Number(value))
    return status
  }
  return {
    define(type, name) {
      const id = metrics.define(type, name)
      // beyond the cap on series many names have one id: it stays the first one's
      if (!defined.has(id)) defined.set(id, { type, name })
      return id
    },
    increment: (id, delta) => tell(id, delta, metrics.increment(id, delta)),
    record: (id, value) => tell(id, value, metrics.record(id, value)),
    get: (id) => metrics.get(id),
  }
}
