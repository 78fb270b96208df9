/**
 * What is sent to `POST /-/apply`, `POST /-/rollback` and `POST /-/rollouts/promote`, and what comes back. The same shapes cross
 * from the command line to the admin API and from there to the policy object.
 */
import * as v from 'valibot'
import { activePointerSchema, timestampText } from '../active-pointer.ts'
import type { ActivePointer, UnsignedPointer } from '../active-pointer.ts'
import type { Change } from './diff.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { PreflightResult } from '../preflight.ts'
import type { Problem } from '../problem.ts'

/** What every change of the active pointer says. */
export interface WriteRequest {
  /** The revision the operator saw when the change was planned; 0 before the first. */
  readonly base: number
  readonly by: string
  readonly why: string
  /** Plans only: checks, compiles and tries everything, writes nothing, and does not look at `base`. */
  readonly dryRun: boolean
  /** With `dryRun`: that what is planned will be signed, so the plan is what the signature will be over. */
  readonly signing?: { readonly keyId: string; readonly expiresAt?: string } | undefined
  /** What was planned, signed. Without it the policy object makes the pointer. */
  readonly pointer?: ActivePointer | undefined
}

export interface ApplyRequest extends WriteRequest {
  /** Documents as they came out of YAML or JSON; what the policy object has already stays beside them. */
  readonly resources: readonly unknown[]
  /** Drops every resource that is not among `resources`. */
  readonly prune: boolean
  /** Takes a plugin back to the version that a promoted candidate replaced, too. */
  readonly force?: boolean | undefined
}

export interface PromoteRequest extends WriteRequest {
  /** `<namespace>.<name>`. */
  readonly rollout: string
  /** Also before its steps are done. */
  readonly force: boolean
}

/** What whoever takes rollouts forward says of one that may be promoted. */
export interface PromotionLeave {
  readonly rollout: string
  readonly run: number
  /** Which candidate ran: `pluginVersion` of it. */
  readonly version: string
  /** What it means when its steps are not done, or not all requests have the candidate yet. */
  readonly warning?: string
}

export interface RollbackRequest extends WriteRequest {
  /** The revision whose snapshot is to run again; absent: the one that ran before. */
  readonly to?: number | undefined
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
      /** The plugins that were tried, with what they logged. */
      readonly preflight: readonly PreflightResult[]
      /** Exactly what will be written, to be signed. */
      readonly pointer: UnsignedPointer
      /** The revision a rollback goes back to, where it has a number. */
      readonly to?: number | undefined
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
const revision = v.pipe(v.number('expected a revision'), v.safeInteger(), v.minValue(0))

const write = {
  base: v.optional(revision, 0),
  by: line,
  why: line,
  dryRun: flag,
  signing: v.optional(
    v.strictObject({ keyId: v.string(), expiresAt: v.exactOptional(timestampText) }),
  ),
  pointer: v.optional(activePointerSchema),
}

/** The body of `POST /-/apply`. */
export const applyRequestSchema: v.GenericSchema<unknown, ApplyRequest> = v.strictObject({
  ...write,
  resources: v.array(v.unknown(), 'expected a list of resources'),
  prune: flag,
  force: flag,
})

/** The body of `POST /-/rollouts/promote`. */
export const promoteRequestSchema: v.GenericSchema<unknown, PromoteRequest> = v.strictObject({
  ...write,
  rollout: v.pipe(v.string('expected the name of a rollout'), v.maxLength(400)),
  force: flag,
})

/** The body of `POST /-/rollback`. */
export const rollbackRequestSchema: v.GenericSchema<unknown, RollbackRequest> = v.strictObject({
  ...write,
  to: v.optional(revision),
})
