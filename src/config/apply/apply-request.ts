/**
 * What is sent to `POST /-/apply` and what comes back. The same shapes cross from the command line to
 * the admin API and from there to the policy object.
 */
import * as v from 'valibot'
import type { Change } from './diff.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { PreflightResult } from '../preflight.ts'
import type { Problem } from '../problem.ts'

export interface ApplyRequest {
  /** Documents as they came out of YAML or JSON; what the policy object has already stays beside them. */
  readonly resources: readonly unknown[]
  /** The revision the operator saw when the change was planned; 0 before the first. */
  readonly base: number
  readonly by: string
  readonly why: string
  /** Plans only: checks, compiles and tries everything, writes nothing, and does not look at `base`. */
  readonly dryRun: boolean
  /** Drops every resource that is not among `resources`. */
  readonly prune: boolean
}

export type ApplyResult =
  | {
      readonly result: 'applied'
      readonly revision: number
      readonly snapshot: string
      readonly changes: readonly Change[]
      readonly warnings: readonly Problem[]
    }
  | {
      readonly result: 'planned'
      /** The revision to send as `base`. */
      readonly base: number
      readonly snapshot: string
      readonly changes: readonly Change[]
      readonly warnings: readonly Problem[]
    }
  | {
      readonly result: 'unchanged'
      readonly revision: number
      readonly snapshot: string
      readonly warnings: readonly Problem[]
    }
  | { readonly result: 'conflict'; readonly current: number }
  | {
      readonly result: 'refused'
      readonly problems: readonly Problem[]
      /** The plugins that did not start, with what they logged. */
      readonly preflight: readonly PreflightResult[]
    }
  | { readonly result: 'failed'; readonly code: ErrorCode; readonly message: string }

const flag = v.optional(v.boolean('expected true or false'), false)
const line = v.optional(v.pipe(v.string('expected a string'), v.maxLength(1_000)), '')

/** The body of `POST /-/apply`. */
export const applyRequestSchema: v.GenericSchema<unknown, ApplyRequest> = v.strictObject({
  resources: v.array(v.unknown(), 'expected a list of resources'),
  base: v.optional(v.pipe(v.number('expected a revision'), v.safeInteger(), v.minValue(0)), 0),
  by: line,
  why: line,
  dryRun: flag,
  prune: flag,
})
