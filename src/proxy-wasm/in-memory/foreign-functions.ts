/**
 * A registry of foreign functions, empty at first: what a plugin may call by name beyond the ABI is
 * the embedder's choice.
 */
import type { ForeignFunction, ForeignFunctionsPort } from '../ports.ts'

export class ForeignFunctionRegistry implements ForeignFunctionsPort {
  readonly #functions = new Map<string, ForeignFunction>()

  /** Adds a function, or replaces the one of that name. */
  register(name: string, call: ForeignFunction): this {
    this.#functions.set(name, call)
    return this
  }

  /** Adds functions by their names. */
  registerAll(functions: Readonly<Record<string, ForeignFunction>>): this {
    for (const [name, call] of Object.entries(functions)) this.register(name, call)
    return this
  }

  find(name: string): ForeignFunction | undefined {
    return this.#functions.get(name)
  }
}
