/**
 * How long a plugin's callbacks take on the machine that simulates: a wrapper
 * around each callback of its vm, so that the machine itself needs no hook for it.
 */
import type { GuestCallbacks, GuestFunction } from '../../proxy-wasm/vm/guest-callbacks.ts'
import type { Vm } from '../../proxy-wasm/vm/vm.ts'

/** Starting it is not counted: that is once for all requests. */
const FIELDS = [
  'contextCreate',
  'tick',
  'queueReady',
  'requestHeaders',
  'requestBody',
  'responseHeaders',
  'responseBody',
  'httpCallResponse',
  'grpcInitialMetadata',
  'grpcReceive',
  'grpcTrailingMetadata',
  'grpcClose',
  'foreignFunction',
  'done',
  'log',
  'delete',
] as const

export class GuestTime {
  /** Milliseconds within callbacks since the last `reset`. */
  ms = 0
  #followed: Vm | undefined

  reset(): void {
    this.ms = 0
  }

  /** From now on what runs in this vm is measured. A vm that has trapped has another in its place. */
  follow(vm: Vm): void {
    if (this.#followed === vm) return
    this.#followed = vm
    // made for this one vm, and read at each call: what is put there is what runs
    const callbacks = vm.callbacks as {
      -readonly [field in keyof GuestCallbacks]: GuestCallbacks[field]
    }
    for (const field of FIELDS) {
      const callback = callbacks[field]
      if (callback !== undefined) callbacks[field] = this.#timed(callback)
    }
  }

  #timed(callback: GuestFunction): GuestFunction {
    return (...args) => {
      const from = performance.now()
      try {
        return callback(...args)
      } finally {
        this.ms += performance.now() - from
      }
    }
  }
}
