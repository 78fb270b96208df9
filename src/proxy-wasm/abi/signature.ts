/**
 * Function signatures, as the ABI tables write them and as a wasm binary declares them. The ABI passes
 * i32 and i64 alone; what else a binary may declare is named so that it can be told apart.
 */

/** A parameter of the ABI: `name` is the specification's. */
export interface Param {
  readonly name: string
  readonly type: 'i32' | 'i64'
}

/** A function type as a binary has it; types by their names in the text format. */
export interface Signature {
  readonly params: readonly string[]
  readonly results: readonly string[]
}

/** i32 parameters by name, in order. */
export function i32(...names: string[]): Param[] {
  return names.map((name) => ({ name, type: 'i32' }))
}

/** i64 parameters by name, in order. */
export function i64(...names: string[]): Param[] {
  return names.map((name) => ({ name, type: 'i64' }))
}

/** @returns the signature of a row of a table */
export function signatureOf(params: readonly Param[], result: 'i32' | 'void'): Signature {
  return {
    params: params.map((param) => param.type),
    results: result === 'void' ? [] : [result],
  }
}

/** For messages and tables: `(i32, i64) -> i32`. */
export function printSignature({ params, results }: Signature): string {
  return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`
}

/** @returns whether both take and return the same types */
export function sameSignature(left: Signature, right: Signature): boolean {
  return printSignature(left) === printSignature(right)
}
