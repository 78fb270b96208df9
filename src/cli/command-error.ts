/**
 * Why a command ends without doing its work. Thrown anywhere below a command, printed in one place.
 */
import type { ErrorCode } from '../config/error-codes.ts'
import type { PlacedProblem } from '../config/documents.ts'

export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: ErrorCode
  /** What is wrong in the files, where that is the reason. */
  readonly problems: readonly PlacedProblem[]
  /** Goes into `--json` beside the error. */
  readonly details: object

  constructor(
    code: ErrorCode,
    message: string,
    more: { readonly problems?: readonly PlacedProblem[]; readonly details?: object } = {},
  ) {
    super(message)
    this.code = code
    this.problems = more.problems ?? []
    this.details = more.details ?? {}
  }

  /** 2 for a command called wrongly, 1 for everything else. */
  get exitCode(): number {
    return this.code === 'cli.usage' ? 2 : 1
  }
}
