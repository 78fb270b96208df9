/** What of a request keeps it on its side of a rollout. */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { choice, described, headerName, text } from './fields.ts'

const KEY_TYPES = ['clientIp', 'cookie', 'header', 'query', 'jwtClaim', 'issued'] as const

/** Where the gateway keeps the keys that it gives out itself. */
export const ISSUED_COOKIE = 'postern-key'

/** What a name of these is made of is the same. */
const NAMED_AS_HEADERS: ReadonlySet<string> = new Set(['cookie', 'header', 'issued'])
const PREVIEW_COOKIE = 'postern-preview'

export interface RolloutKey {
  readonly type: (typeof KEY_TYPES)[number]
  readonly name?: string
}

export const stickyKey: v.GenericSchema<RolloutKey> = v.pipe(
  v.object({
    type: choice(KEY_TYPES, {
      about: doc(
        'Where the key is: the address of the client, a cookie, header or query parameter, a claim of the bearer token (which is not verified: a side is no permission), or, with `issued`, a random one that the gateway gives to each client and signs, in a cookie. A request without its key is stable until the weight is 100.',
      ),
      default: doc('clientIp'),
    }),
    name: v.exactOptional(
      described(text(/^[^\s;,="]{1,256}$/, 'a name without spaces, quotes and any of ; , ='), {
        about: doc(
          'The name of the cookie, header, query parameter or claim (`a.b`: within another). Rollouts with `issued` and the same name share the cookie, and pick others all the same.',
        ),
        default: doc('required, but for `clientIp` and `issued`, whose cookie is `postern-key`'),
      }),
    ),
  }),
  v.check(
    ({ type, name }) => type === 'clientIp' || type === 'issued' || name !== undefined,
    'expected a name',
  ),
  v.check(
    ({ type, name }) => type !== 'clientIp' || name === undefined,
    'expected no name: a client has one address',
  ),
  v.check(
    ({ type, name = 'x' }) => !NAMED_AS_HEADERS.has(type) || v.is(headerName, name),
    'expected the name of a header or a cookie',
  ),
  v.check(
    ({ type, name }) => type !== 'issued' || name !== PREVIEW_COOKIE,
    'expected another name: this cookie has preview tokens',
  ),
)
