/**
 * What can go wrong with a guest, as errors with a stable code. `GuestTrap` is the only thing that is
 * ever thrown through a guest: it ends the vm.
 */

/** Why a vm ended: the guest trapped, or the host had to stop it. */
export class GuestTrap extends Error {
  readonly code = 'plugin.trap'
  override readonly name = 'GuestTrap'
}

export type LoadErrorCode =
  | 'module.invalid'
  | 'module.not_bound'
  | 'module.link'
  | 'plugin.start_failed'
  | 'plugin.vm_start_refused'
  | 'plugin.configure_refused'

/** Why a module or plugin did not come up. `message` says what to do where that is known. */
export class LoadError extends Error {
  override readonly name = 'LoadError'
  readonly code: LoadErrorCode

  constructor(code: LoadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** One line for logs and status pages from anything thrown. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`
  const thrown = String(error)
  // what a guest throws has neither a name nor a message
  return thrown === '[object WebAssembly.Exception]' ? 'an exception that it did not catch' : thrown
}
