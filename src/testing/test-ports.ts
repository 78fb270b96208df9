/**
 * The surroundings of a plugin under test: a clock that stands still until it is moved, log lines and
 * callouts that are kept, and no network.
 */
import {
  type Clock,
  type HttpCall,
  type HttpCallOutcome,
  inMemoryPorts,
  type LogEntry,
  LogLevel,
  type PendingHttpCall,
  type Ports,
  Status,
} from '../proxy-wasm/index.ts'

const NANOS_PER_MS = 1_000_000n
/** Go's runtime does not start when its clock stands at 0. */
const MONOTONIC_START = 1_000_000_000n

/** Moves only when it is told to. */
export class TestClock implements Clock {
  #realtime: bigint
  #monotonic = MONOTONIC_START

  /** @param nanos - since the Unix epoch */
  constructor(nanos: bigint) {
    this.#realtime = nanos
  }

  realtime(): bigint {
    return this.#realtime
  }

  monotonic(): bigint {
    return this.#monotonic
  }

  advance(ms: number): void {
    const nanos = BigInt(Math.round(ms * 1000)) * (NANOS_PER_MS / 1000n)
    this.#realtime += nanos
    this.#monotonic += nanos
  }
}

/** Starts a call, or says that there is no upstream of that name. */
export type CalloutHandler = (call: HttpCall) => Promise<HttpCallOutcome> | undefined

export interface TestPorts {
  readonly ports: Ports
  readonly clock: TestClock
  /** All lines so far, the host's own among them. */
  readonly logs: LogEntry[]
  /** Callouts that have no outcome yet. */
  readonly underWay: ReadonlySet<Promise<HttpCallOutcome>>
}

export interface TestPortsOptions {
  /** Nanoseconds since the Unix epoch. */
  readonly time: bigint
  readonly logLevel?: LogLevel | undefined
  readonly callout: CalloutHandler
  readonly ports?: Partial<Ports> | undefined
}

/** Ports of their own for one plugin. */
export function testPorts(options: TestPortsOptions): TestPorts {
  const clock = new TestClock(options.time)
  const logs: LogEntry[] = []
  const underWay = new Set<Promise<HttpCallOutcome>>()
  const start = (call: HttpCall): PendingHttpCall | Status => {
    const outcome = options.callout(call)
    if (outcome === undefined) return Status.BadArgument
    underWay.add(outcome)
    const forget = (): void => void underWay.delete(outcome)
    outcome.then(forget, forget)
    return { outcome, cancel: forget }
  }
  const ports = inMemoryPorts({
    clock,
    log: { level: options.logLevel ?? LogLevel.Trace, log: (entry) => void logs.push(entry) },
    httpCalls: { start },
    ...options.ports,
  })
  return { ports, clock, logs, underWay }
}
