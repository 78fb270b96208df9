/**
 * Which context host calls act on, when the guest has finished, and when it is to be woken.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#context-lifecycle
 */
import { Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `BadArgument` for a context this vm has not got; `NotFound` when nothing waited for `proxy_done`. */
export function contextFunctions(vm: Vm): HostFunctions {
  return {
    proxy_set_effective_context: (contextId) =>
      vm.setEffectiveContext(contextId >>> 0) ? Status.Ok : Status.BadArgument,

    proxy_done: () => vm.context.done(),

    /** A period set from a stream is its plugin's; 0 turns ticks off. */
    proxy_set_tick_period_milliseconds(milliseconds) {
      vm.context.root.setTickPeriod(milliseconds >>> 0)
      return Status.Ok
    },
  }
}
