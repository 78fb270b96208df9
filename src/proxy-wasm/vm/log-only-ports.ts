/**
 * The surroundings of log-only plugins: what they share they share with each other alone. They see the
 * shared data of plugins that enforce until they write a key themselves; their queues are their own; their
 * metrics are shown under names of their own; and their calls leave, or fail as if nobody could be reached.
 */
import { Status } from '../abi/enums.ts'
import { InMemorySharedData } from '../in-memory/shared-data.ts'
import { InMemorySharedQueues } from '../in-memory/shared-queues.ts'
import { type IoContext, runningIo } from '../stream/io-context.ts'
import type { GrpcEvent, MetricsPort, Ports, SharedDataPort, SharedQueuesPort } from '../ports.ts'

/** In front of the names of metrics that log-only plugins define. */
const METRIC_PREFIX = 'log_only_'
/** Stands for every queue of plugins that enforce: what is put there is gone. */
const OUTSIDE = 0xffff_ffff
const GRPC_UNAVAILABLE = 14
/** Of one request. */
const CALLS_MAX = 100

/**
 * @param ports - of the plugins that enforce
 * @returns ports for log-only plugins by what becomes of their calls; both share the same copies
 */
export function logOnlyPorts(ports: Ports): Readonly<Record<'run' | 'block', Ports>> {
  const run: Ports = {
    ...ports,
    sharedData: copyOnWrite(ports.sharedData),
    sharedQueues: ownQueues(ports.sharedQueues),
    metrics: prefixed(ports.metrics),
  }
  const { grpcCalls } = ports
  const isSpent = callsThatDoNotLeave()
  const block: Ports = {
    ...run,
    httpCalls: {
      start: () =>
        isSpent()
          ? Status.InternalFailure
          : { outcome: Promise.resolve({ failure: 'connect' }), cancel: () => undefined },
    },
    grpcCalls: {
      declares: (plugin, upstream) => grpcCalls.declares(plugin, upstream),
      start({ plugin, upstream }) {
        if (!grpcCalls.declares(plugin, upstream)) return Status.ParseFailure
        if (isSpent()) return Status.InternalFailure
        return { events: unavailable(), cancel: () => undefined }
      },
    },
  }
  return { run, block }
}

/**
 * Counts the calls of each request that are answered here, at once: a guest that calls again from each
 * answer would never come to an end, and nothing else would run meanwhile.
 * @returns counts one, and says whether it is one too many
 */
export function callsThatDoNotLeave(): () => boolean {
  const made = new WeakMap<IoContext, number>()
  return () => {
    const io = runningIo()
    const calls = (made.get(io) ?? 0) + 1
    made.set(io, calls)
    return calls > CALLS_MAX
  }
}

/** Shared data that can be read; writes stay in the copy. */
export function copyOnWrite(shared: SharedDataPort): SharedDataPort {
  const own = new InMemorySharedData()
  const get: SharedDataPort['get'] = (vmId, key) => own.get(vmId, key) ?? shared.get(vmId, key)
  return {
    get,
    set(vmId, key, value, cas) {
      const current = get(vmId, key)
      if (cas !== 0 && current !== undefined && current.cas !== cas) return Status.CasMismatch
      return own.set(vmId, key, value, 0)
    },
  }
}

function ownQueues(shared: SharedQueuesPort): SharedQueuesPort {
  const own = new InMemorySharedQueues()
  return {
    register: (vmId, name, listener) => own.register(vmId, name, listener),
    resolve: (vmId, name) =>
      own.resolve(vmId, name) ?? (shared.resolve(vmId, name) === undefined ? undefined : OUTSIDE),
    enqueue: (id, item) => (id === OUTSIDE ? Status.Ok : own.enqueue(id, item)),
    dequeue: (id) => (id === OUTSIDE ? { status: Status.Empty } : own.dequeue(id)),
    release: (listener) => own.release(listener),
  }
}

/** Ids that another plugin was given are no ids here: they are small numbers, which can be guessed. */
function prefixed(shared: MetricsPort): MetricsPort {
  const own = new Set<number>()
  return {
    define(type, name) {
      const id = shared.define(type, METRIC_PREFIX + name)
      own.add(id)
      return id
    },
    increment: (id, delta) => (own.has(id) ? shared.increment(id, delta) : Status.NotFound),
    record: (id, value) => (own.has(id) ? shared.record(id, value) : Status.NotFound),
    get: (id) => (own.has(id) ? shared.get(id) : { status: Status.NotFound }),
  }
}

async function* unavailable(): AsyncGenerator<GrpcEvent, void, void> {
  yield { kind: 'close', status: GRPC_UNAVAILABLE, message: 'blocked: the plugin is log-only' }
}
