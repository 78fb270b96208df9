/**
 * Field shapes that more than one kind of resource uses, each with the words an operator reads when
 * a value does not fit.
 */
import * as v from 'valibot'

/** 64 lower-case hex digits. */
export const sha256Text: v.GenericSchema<string, string> = v.pipe(
  v.string('expected a string of 64 hex digits'),
  v.regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits'),
)
