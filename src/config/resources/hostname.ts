/** Host names as Gateway API has them: lower case, no port, no address. */
import type * as v from 'valibot'
import { text } from './fields.ts'

const LABELS = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'

/** May have a wildcard as its first label, which stands for one label or more. */
export const hostname: v.GenericSchema<string> = text(
  new RegExp(`^(?=.{1,253}$)(\\*\\.)?${LABELS}`),
  'a host name in lower case without port, optionally with "*." in front',
)

export const preciseHostname: v.GenericSchema<string> = text(
  new RegExp(`^(?=.{1,253}$)${LABELS}`),
  'a host name in lower case without port and wildcard',
)
