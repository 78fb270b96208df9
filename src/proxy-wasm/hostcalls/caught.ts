/** What becomes of an error in a host call: it never reaches the guest, except to end it. */
import { LogLevel, Status } from '../abi/enums.ts'
import { describeError, GuestTrap } from '../errors.ts'
import type { Vm } from '../vm/vm.ts'

/**
 * @param name - the host call
 * @returns what the guest gets in its place
 * @throws the error itself where it is the guest's own trap
 */
export function caught(vm: Vm, name: string, error: unknown): Status {
  if (error instanceof GuestTrap || error instanceof WebAssembly.RuntimeError) throw error
  vm.logHost(LogLevel.Error, `${name} failed: ${describeError(error)}`)
  return Status.InternalFailure
}
