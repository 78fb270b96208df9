/**
 * Gives up on a promise after a while. The promise itself goes on; its late failure is nobody's.
 */
import type { ConfigClock } from './clock.ts'

const LATE: unique symbol = Symbol('late')

/**
 * @param promise what is waited for
 * @param ms how long
 * @param what names it in the error, e.g. a key
 * @throws an Error that says how long was waited, or the promise's own
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  clock: ConfigClock,
  what: string,
): Promise<T> {
  const late = clock.sleep(ms).then((): typeof LATE => LATE)
  const first = await Promise.race([promise, late])
  if (first === LATE) throw new Error(`${what} was not read within ${ms} ms`)
  return first
}
