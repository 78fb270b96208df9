/**
 * Metrics that guests define.
 * @see https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#metrics
 */
import { MetricType, Status } from '../abi/enums.ts'
import type { Vm } from '../vm/vm.ts'
import { caught } from './caught.ts'
import type { HostFunctions } from './link.ts'

/** Statuses: `BadArgument` for no metric type and as the port says, `NotFound` for no such metric. */
export function metricFunctions(vm: Vm): HostFunctions {
  return {
    proxy_define_metric(type, nameAt, nameSize, idOut) {
      const name = vm.memory.text(nameAt, nameSize)
      if (name === undefined) return Status.InvalidMemoryAccess
      if (type >>> 0 > MetricType.Histogram) return Status.BadArgument
      const id = vm.services.metrics.define(type as MetricType, name)
      return vm.memory.setUint32(idOut, id) ? Status.Ok : Status.InvalidMemoryAccess
    },

    proxy_increment_metric(id, delta) {
      try {
        return vm.services.metrics.increment(id >>> 0, delta as unknown as bigint)
      } catch (error) {
        return caught(vm, 'proxy_increment_metric', error)
      }
    },

    proxy_record_metric: (id, value) =>
      vm.services.metrics.record(id >>> 0, BigInt.asUintN(64, value as unknown as bigint)),

    proxy_get_metric(id, valueOut) {
      const found = vm.services.metrics.get(id >>> 0)
      if (!('value' in found)) return found.status
      return vm.memory.setUint64(valueOut, BigInt.asUintN(64, found.value))
        ? Status.Ok
        : Status.InvalidMemoryAccess
    },
  }
}
