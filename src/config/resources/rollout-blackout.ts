/** When no weight of a rollout rises: times of the day, and the days on which they begin. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { described, text } from './fields.ts'

export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Day = (typeof DAYS)[number]

export interface BlackoutWindow {
  readonly from: string
  readonly to: string
  readonly days?: readonly Day[]
  readonly timeZone?: string
}

const time = text(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of the day such as 09:30')

export const blackoutWindow: v.GenericSchema<BlackoutWindow> = v.pipe(
  v.object({
    from: described(time, { about: doc('When it begins.') }),
    to: described(time, {
      about: doc('When it ends; on the next day where that is earlier than `from`.'),
    }),
    days: v.exactOptional(
      described(
        v.pipe(
          v.array(v.picklist(DAYS, `expected one of ${DAYS.join(', ')}`)),
          v.minLength(1, 'expected at least one day'),
        ),
        { about: doc('The days on which it begins: `mon`, `tue` …'), default: doc('every day') },
      ),
    ),
    timeZone: v.exactOptional(
      described(
        v.pipe(v.string(), v.check(isTimeZone, 'expected a time zone such as Europe/Berlin')),
        {
          about: doc('The time zone of `from` and `to`.'),
          default: doc("the node's label `timezone`; UTC where it has none"),
        },
      ),
    ),
  }),
  v.check(({ from, to }) => from !== to, 'expected an end other than the beginning'),
)

/** Whether the IANA time zone database, as the platform has it, knows a name. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
