/**
 * Shared data in this isolate's memory: one map per vm id, and one counter for every cas there is.
 * Envoy's is per process in the same way.
 */
import { Status } from '../abi/enums.ts'
import type { ByteString, SharedDataPort, SharedValue } from '../ports.ts'

export class InMemorySharedData implements SharedDataPort {
  readonly #values = new Map<string, Map<ByteString, SharedValue>>()
  /** Of the vm id that was asked for last, which is mostly the one that is asked for next. */
  #lastVmId = ''
  #lastValues: Map<ByteString, SharedValue> | undefined
  #nextCas: number

  /** @param firstCas - where the counter starts: 1, unless a test wants to see it wrap */
  constructor(firstCas: number = 1) {
    this.#nextCas = firstCas
  }

  get(vmId: string, key: ByteString): SharedValue | undefined {
    if (vmId !== this.#lastVmId || this.#lastValues === undefined) {
      this.#lastVmId = vmId
      this.#lastValues = this.#values.get(vmId)
    }
    return this.#lastValues?.get(key)
  }

  /** Takes `value` over: it must not be written to afterwards. A key that is absent takes any cas. */
  set(vmId: string, key: ByteString, value: Uint8Array, cas: number): Status {
    let values = this.#values.get(vmId)
    const current = values?.get(key)
    if (cas !== 0 && current !== undefined && current.cas !== cas) return Status.CasMismatch
    if (values === undefined) {
      values = new Map()
      this.#values.set(vmId, values)
    }
    values.set(key, { value, cas: this.#takeCas() })
    return Status.Ok
  }

  #takeCas(): number {
    const cas = this.#nextCas
    // a u32 that skips 0, which means "write always"
    this.#nextCas = cas === 0xffff_ffff ? 1 : cas + 1
    return cas
  }
}
