/**
 * The filters of an HTTPRoute: what is changed of a request or response on its way, and what is sent
 * elsewhere. The one member a filter has is named after its type.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
 */
import * as v from 'valibot'
import { doc } from './doc.ts'
import { backendReference, OUTSIDE_FILTERS } from './backend-ref.ts'
import type { BackendReference } from './backend-ref.ts'
import { choice, described, outside, text, whole } from './fields.ts'
import { headerFilter } from './header-filter.ts'
import type { HeaderFilter } from './header-filter.ts'
import { preciseHostname } from './hostname.ts'

export interface PathModifier {
  readonly type: 'ReplaceFullPath' | 'ReplacePrefixMatch'
  readonly replaceFullPath?: string
  readonly replacePrefixMatch?: string
}

export interface HttpRouteFilter {
  readonly type:
    | 'RequestHeaderModifier'
    | 'ResponseHeaderModifier'
    | 'RequestMirror'
    | 'RequestRedirect'
    | 'URLRewrite'
  readonly requestHeaderModifier?: HeaderFilter
  readonly responseHeaderModifier?: HeaderFilter
  readonly requestMirror?: {
    readonly backendRef: BackendReference
    readonly percent?: number
    readonly fraction?: { readonly numerator: number; readonly denominator?: number }
  }
  readonly requestRedirect?: {
    readonly scheme?: 'http' | 'https'
    readonly hostname?: string
    readonly path?: PathModifier
    readonly port?: number
    readonly statusCode?: number
  }
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier }
}

const REDIRECTS = [301, 302, 303, 307, 308] as const

const newPath = text(/^(\/[^?#]{0,1023})?$/, 'a path that starts with "/", without "?" and "#"')

const path = v.exactOptional(
  v.object({
    type: choice(['ReplaceFullPath', 'ReplacePrefixMatch'], {
      about: doc('`ReplacePrefixMatch` replaces what the PathPrefix of the match covers.'),
    }),
    replaceFullPath: v.exactOptional(described(newPath, { about: doc('For ReplaceFullPath.') })),
    replacePrefixMatch: v.exactOptional(
      described(newPath, { about: doc('For ReplacePrefixMatch.') }),
    ),
  }),
)

const requestMirror = v.exactOptional(
  v.object({
    backendRef: backendReference,
    percent: v.exactOptional(
      described(whole(0, 100), {
        about: doc('How many of a hundred requests.'),
        default: doc('100'),
      }),
    ),
    fraction: v.exactOptional(
      v.object({
        numerator: described(whole(0, 1_000_000_000), { about: doc('So many requests') }),
        denominator: v.exactOptional(
          described(whole(1, 1_000_000_000), { about: doc('of so many.'), default: doc('100') }),
        ),
      }),
    ),
  }),
)

const requestRedirect = v.exactOptional(
  v.object({
    scheme: v.exactOptional(choice(['http', 'https'], { about: doc('Of the new URL.') })),
    hostname: v.exactOptional(described(preciseHostname, { about: doc('Of the new URL.') })),
    path,
    port: v.exactOptional(
      described(whole(1, 65_535), {
        about: doc('Of the new URL.'),
        default: doc("that of `scheme`, else the client's"),
      }),
    ),
    statusCode: v.exactOptional(
      described(v.picklist(REDIRECTS, `expected one of ${REDIRECTS.join(', ')}`), {
        about: doc('The status of the answer.'),
        default: doc('302'),
      }),
    ),
  }),
)

const urlRewrite = v.exactOptional(
  v.object({
    hostname: v.exactOptional(
      described(preciseHostname, {
        about: doc(
          'The host a service binding is asked for. An upstream with a url is asked for its own; there this travels as x-forwarded-host.',
        ),
      }),
    ),
    path,
  }),
)

export const httpRouteFilter: v.GenericSchema<unknown, HttpRouteFilter> = v.object({
  type: choice(
    [
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'RequestRedirect',
      'URLRewrite',
    ],
    { about: doc('Which of the members below is set.'), outsideValues: OUTSIDE_FILTERS },
  ),
  requestHeaderModifier: v.exactOptional(headerFilter),
  responseHeaderModifier: v.exactOptional(headerFilter),
  requestMirror,
  requestRedirect,
  urlRewrite,
  cors: outside(OUTSIDE_FILTERS.CORS),
  externalAuth: outside(OUTSIDE_FILTERS.ExternalAuth),
  extensionRef: outside(OUTSIDE_FILTERS.ExtensionRef),
})
