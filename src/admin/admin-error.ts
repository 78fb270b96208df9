/**
 * An error as the admin API answers it: the code, whose fault it is, what happened, what to do next.
 */
import type { Context } from 'hono'
import { ERROR_CODES } from '../config/error-codes.ts'
import type { ErrorCode } from '../config/error-codes.ts'

type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503

/**
 * @param message what happened; nothing that the client sent as a secret
 * @param more members beside `error`
 */
export function adminError(
  c: Context,
  status: ErrorStatus,
  code: ErrorCode,
  message: string,
  more: object = {},
): Response {
  const { fault, next } = ERROR_CODES[code]
  return c.json({ ...more, error: { code, fault, message, next } }, status)
}
