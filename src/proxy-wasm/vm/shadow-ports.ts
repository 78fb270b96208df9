/**
 * The surroundings of plugins that run as shadows: what they do reaches nobody. They see the shared data
 * of plugins that enforce until they write a key themselves; queues and metrics are their own and shown
 * nowhere; of their log only errors are written; and their calls are answered with what the same calls of
 * the request that they follow came to, or fail as if nobody could be reached.
 */
import { LogLevel, Status } from '../abi/enums.ts'
import { InMemoryMetrics } from '../in-memory/metrics.ts'
import type { GrpcEvent, LogPort, Ports } from '../ports.ts'
import { runningIo } from '../stream/io-context.ts'
import { callsThatDoNotLeave, logOnlyPorts } from './log-only-ports.ts'

/** @param ports - of the plugins that enforce */
export function shadowPorts(ports: Ports): Ports {
  const blocked = logOnlyPorts(ports).block
  const isSpent = callsThatDoNotLeave()
  return {
    ...blocked,
    metrics: new InMemoryMetrics(),
    log: errorsOf(ports.log),
    httpCalls: {
      start(call) {
        const io = runningIo()
        if (isSpent()) return Status.InternalFailure
        const answer = io.replay?.http(call)
        if (answer === undefined) return blocked.httpCalls.start(call)
        return typeof answer === 'number' ? answer : { outcome: answer, cancel: () => undefined }
      },
    },
    grpcCalls: {
      declares: (plugin, upstream) => blocked.grpcCalls.declares(plugin, upstream),
      start(call) {
        const io = runningIo()
        if (isSpent()) return Status.InternalFailure
        const answer = io.replay?.grpc(call)
        if (answer === undefined) return blocked.grpcCalls.start(call)
        if (typeof answer === 'number') return answer
        return { events: replayed(answer), cancel: () => undefined }
      },
    },
  }
}

function errorsOf(log: LogPort): LogPort {
  return {
    level: Math.max(log.level, LogLevel.Error) as LogLevel,
    log: (entry) => {
      if (entry.level >= LogLevel.Error) log.log(entry)
    },
  }
}

/** Of a stream that had not ended: what had come, and then a close. */
async function* replayed(events: readonly GrpcEvent[]): AsyncGenerator<GrpcEvent, void, void> {
  yield* events
  if (events.at(-1)?.kind === 'close') return
  yield { kind: 'close', status: 14, message: 'the recorded stream had not ended' }
}
