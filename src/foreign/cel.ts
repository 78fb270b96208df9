/**
 * Envoy's `expr_create`, `expr_evaluate` and `expr_delete`: CEL over the attributes of the calling context.
 * Apart from the others because of its weight (68 KB of gzip, more than the gateway): an embedder that
 * wants it registers it, and without it plugins see `NotFound`, as in an Envoy built without CEL.
 *
 * ```ts
 * import { celFunctions } from 'postern/cel'
 * const foreignFunctions = envoyFunctions().registerAll(celFunctions())
 * ```
 * @see https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/foreign.cc
 */
import { celEnv, parse, plan } from '@bufbuild/cel'
import { type ForeignFunction, Status } from '../proxy-wasm/index.ts'
import { bytesToText } from '../proxy-wasm/memory/byte-string.ts'
import { celVariables } from './cel-variables.ts'
import { encodeCel } from './cel-values.ts'

type Program = ReturnType<typeof plan>
type Name = 'expr_create' | 'expr_evaluate' | 'expr_delete'

/** The expressions of one root context. */
class Expressions {
  readonly #programs = new Map<number, Program>()
  #next = 1

  add(program: Program): number {
    while (this.#next === 0 || this.#programs.has(this.#next)) this.#next = (this.#next + 1) >>> 0
    const token = this.#next
    this.#next = (token + 1) >>> 0
    this.#programs.set(token, program)
    return token
  }

  get(token: number): Program | undefined {
    return this.#programs.get(token)
  }

  delete(token: number): void {
    this.#programs.delete(token)
  }
}

/**
 * @returns the functions by name. Statuses: `BadArgument` for text that is no expression and for what is no
 *   token, `NotFound` for a token nobody has, `InternalFailure` for an expression that fails,
 *   `SerializationFailure` for a result without an encoding (null, a type)
 */
export function celFunctions(): Readonly<Record<Name, ForeignFunction>> {
  const env = celEnv({ namespace: '' })
  const byRoot = new WeakMap<object, Expressions>()
  const expressionsOf = (root: object): Expressions => {
    let expressions = byRoot.get(root)
    if (expressions === undefined) byRoot.set(root, (expressions = new Expressions()))
    return expressions
  }
  return {
    expr_create(args, { root }) {
      try {
        const program = plan(env, parse(bytesToText(args)))
        return tokenBytes(expressionsOf(root).add(program))
      } catch {
        return { status: Status.BadArgument }
      }
    },

    expr_evaluate(args, caller) {
      const token = tokenOf(args)
      if (token === undefined) return { status: Status.BadArgument }
      const program = expressionsOf(caller.root).get(token)
      if (program === undefined) return { status: Status.NotFound }
      try {
        return encodeCel(program(celVariables(caller)))
      } catch {
        return { status: Status.InternalFailure }
      }
    },

    expr_delete(args, { root }) {
      const token = tokenOf(args)
      if (token === undefined) return { status: Status.BadArgument }
      expressionsOf(root).delete(token)
      return undefined
    },
  }
}

function tokenBytes(token: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, token, true)
  return bytes
}

function tokenOf(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 4) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
}
