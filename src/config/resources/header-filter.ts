/** What a filter changes of the headers of a request or response. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { described, headerName, text } from './fields.ts'

export interface HeaderFilter {
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  readonly add?: readonly { readonly name: string; readonly value: string }[]
  readonly remove?: readonly string[]
}

const headerList = v.array(
  v.object({
    name: described(headerName, { about: doc('Compared without regard to case.') }),
    value: described(
      text(/^[^\0\r\n]{1,4096}$/, 'a value of 1 to 4,096 characters without line breaks'),
      { about: doc('The value.') },
    ),
  }),
)

export const headerFilter: v.GenericSchema<unknown, HeaderFilter> = v.object({
  set: v.exactOptional(described(headerList, { about: doc('Replaces all lines of that name.') })),
  add: v.exactOptional(described(headerList, { about: doc('Adds to what is there.') })),
  remove: v.exactOptional(described(v.array(headerName), { about: doc('Removes all lines.') })),
})
