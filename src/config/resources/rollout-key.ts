/** What of a request keeps it on its side of a rollout. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, headerName, text } from './fields.ts'

const KEY_TYPES = ['clientIp', 'cookie', 'header', 'query', 'jwtClaim'] as const

export interface RolloutKey {
  readonly type: (typeof KEY_TYPES)[number]
  readonly name?: string
}

export const stickyKey: v.GenericSchema<RolloutKey> = v.pipe(
  v.object({
    type: choice(KEY_TYPES, {
      about: doc(
        'Where the key is: the address of the client, a cookie, header or query parameter, or a claim of the bearer token (which is not verified: a side is no permission). A request without its key is stable until the weight is 100.',
      ),
      default: doc('clientIp'),
    }),
    name: v.exactOptional(
      described(text(/^[^\s;,="]{1,256}$/, 'a name without spaces, quotes and any of ; , ='), {
        about: doc(
          'The name of the cookie, header, query parameter or claim (`a.b`: within another).',
        ),
        default: doc('required, but for `clientIp`'),
      }),
    ),
  }),
  v.check(({ type, name }) => type === 'clientIp' || name !== undefined, 'expected a name'),
  v.check(
    ({ type, name }) => type !== 'clientIp' || name === undefined,
    'expected no name: a client has one address',
  ),
  v.check(
    ({ type, name = 'x' }) => (type !== 'cookie' && type !== 'header') || v.is(headerName, name),
    'expected the name of a header or a cookie',
  ),
)
