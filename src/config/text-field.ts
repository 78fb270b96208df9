/** Text that fits a pattern, as resources and what is made of them have it. */
import * as v from 'valibot'

/** A string that fits a pattern. @param expected what fits, in words */
export function text(pattern: RegExp, expected: string): v.GenericSchema<string> {
  return v.pipe(v.string(), v.regex(pattern, `expected ${expected}`))
}

/** 64 lower-case hex digits. */
export const sha256Text: v.GenericSchema<string> = text(
  /^[0-9a-f]{64}$/,
  '64 lower-case hex digits',
)
