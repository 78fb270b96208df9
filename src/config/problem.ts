/**
 * What is wrong with something an operator wrote, as data: the command line adds file and line, the
 * admin API sends it as JSON.
 */
import type { ErrorCode } from './error-codes.ts'

/** Member names and list positions from the top of a resource. */
export type FieldPath = readonly (string | number)[]

export interface Problem {
  readonly code: ErrorCode
  /** A warning is about something accepted: it has no effect, or more than meets the eye. */
  readonly severity: 'error' | 'warning'
  /** The resource, as `Kind namespace/name`; empty where it has no such identity. */
  readonly resource: string
  readonly path: FieldPath
  /** One sentence: what is wrong, and what was expected. Never a value that could be secret. */
  readonly message: string
}

/**
 * Writes a path as operators know it, e.g. `spec.rules[0].matches[1].path`.
 * @returns an empty string for the resource as a whole
 */
export function formatPath(path: FieldPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${JSON.stringify(part)}]`
  }
  return text
}
