/**
 * An error as the admin API answers it: the code, whose fault it is, what happened, what to do next.
 */
import type { Context } from 'hono'
import { ANSWERED_CODES } from '../config/answered-codes.ts'
import type { CodeEntry, ErrorCode } from '../config/error-codes.ts'

/** What is to be done about a code that is the command line's own, should the API ever have one. */
const UNKNOWN: CodeEntry = { fault: 'gateway', next: 'Look the code up in docs/OPERATIONS.md.' }

type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503

/**
 * @param message what happened; nothing that the client sent as a secret
 * @param more members beside `error`
 * @param entry of the code, where it is none that the API answers with by itself
 */
export function adminError(
  c: Context,
  status: ErrorStatus,
  code: ErrorCode,
  message: string,
  more: object = {},
  entry?: CodeEntry,
): Response {
  const own = (ANSWERED_CODES as Readonly<Record<string, CodeEntry>>)[code]
  const { fault, next } = own ?? entry ?? UNKNOWN
  return c.json({ ...more, error: { code, fault, message, next } }, status)
}
