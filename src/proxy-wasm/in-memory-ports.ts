/**
 * Ports that need nothing but Web APIs: enough to run and to test a plugin anywhere. What they hold
 * lives and dies with this isolate. No callout goes out: that takes a port that knows the upstreams.
 */
import { Status } from './abi/enums.ts'
import { consoleLog } from './in-memory/console-log.ts'
import { ForeignFunctionRegistry } from './in-memory/foreign-functions.ts'
import { InMemoryMetrics } from './in-memory/metrics.ts'
import { InMemorySharedData } from './in-memory/shared-data.ts'
import { InMemorySharedQueues } from './in-memory/shared-queues.ts'
import { systemClock } from './in-memory/system-clock.ts'
import type { GrpcCallsPort, HttpCallsPort, Ports, Random, TimersPort } from './ports.ts'

/** Longer delays make `setTimeout` fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

const random: Random = { fill: (bytes) => void crypto.getRandomValues(bytes) }

const timers: TimersPort = {
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMEOUT_MS))
    return () => clearTimeout(timer)
  },
}

/** As Envoy answers for a cluster that it does not know. */
const noHttpCalls: HttpCallsPort = { start: () => Status.BadArgument }

const noGrpcCalls: GrpcCallsPort = { declares: () => false, start: () => Status.ParseFailure }

/**
 * @param overrides - ports to use instead of the in-memory ones
 * @returns a new set; nothing is shared with sets made before
 */
export function inMemoryPorts(overrides: Partial<Ports> = {}): Ports {
  return {
    clock: systemClock(),
    random,
    log: consoleLog(),
    metrics: new InMemoryMetrics(),
    sharedData: new InMemorySharedData(),
    sharedQueues: new InMemorySharedQueues(),
    httpCalls: noHttpCalls,
    grpcCalls: noGrpcCalls,
    timers,
    foreignFunctions: new ForeignFunctionRegistry(),
    decisions: { decided: () => undefined },
    node: { id: '', cluster: '', metadata: {} },
    ...overrides,
  }
}
