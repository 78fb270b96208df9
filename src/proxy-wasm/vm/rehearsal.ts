/**
 * Tries a plugin in a vm of its own before it starts in one where others run: a guest that traps, over its
 * configuration or over being deleted when it has refused that, would end theirs too. Envoy's canary, of
 * which nothing is counted, kept or sent, and nothing logged but a failure.
 */
import { Status } from '../abi/enums.ts'
import { inMemoryPorts } from '../in-memory-ports.ts'
import type { LogEntry, Ports, SharedQueuesPort } from '../ports.ts'
import { runIn, standaloneIo } from '../stream/io-context.ts'
import { copyOnWrite } from './log-only-ports.ts'
import type { PluginSpec } from './plugin-spec.ts'
import { RootContext } from './root-context.ts'
import type { Strand } from './strand.ts'
import { Ticks } from './ticks.ts'
import { Vm } from './vm.ts'

/** Lines kept of what the guest logs. */
const LOG_LINES = 50

/**
 * Starts the plugin, and throws the vm away.
 * @param ports - what is shared can be read through them; writes are the rehearsal's own
 * @throws LoadError when the guest does not start, traps, or refuses its configuration
 */
export function rehearse(spec: PluginSpec, ports: Ports, strand: Strand): void {
  const said: LogEntry[] = []
  const silent = inMemoryPorts({
    clock: ports.clock,
    random: ports.random,
    node: ports.node,
    foreignFunctions: ports.foreignFunctions,
    log: {
      level: ports.log.level,
      log: (entry) => {
        if (said.length < LOG_LINES) said.push(entry)
      },
    },
    timers: { after: () => () => undefined },
    httpCalls: {
      start: () => ({ outcome: new Promise(() => undefined), cancel: () => undefined }),
    },
    sharedData: copyOnWrite(ports.sharedData),
    sharedQueues: watched(ports.sharedQueues),
  })
  runIn(standaloneIo(), () => {
    let vm: Vm | undefined
    try {
      vm = new Vm('', spec, silent, strand)
      new RootContext(vm, spec, new Ticks(silent), () => undefined).start()
    } catch (error) {
      for (const entry of said) ports.log.log(entry)
      throw error
    } finally {
      vm?.close()
    }
  })
}

/** Queues are found, and new ones seem to be registered; no item comes or goes. */
function watched(shared: SharedQueuesPort): SharedQueuesPort {
  return {
    register: (vmId, name) => shared.resolve(vmId, name) ?? 1,
    resolve: (vmId, name) => shared.resolve(vmId, name),
    enqueue: () => Status.Ok,
    dequeue: () => ({ status: Status.Empty }),
    release: () => undefined,
  }
}
