/**
 * The part of a snapshot that says where requests go: gateways, routes, upstreams. Everything is in the
 * form in which it is run: defaults filled in, durations in milliseconds, references resolved.
 */

export interface PathMatch {
  /** `PathPrefix` is element-wise: `/shop` matches `/shop` and `/shop/x`, not `/shopping`. */
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  /** A path starts with `/`; a prefix has no `/` at its end, except the prefix `/` itself. */
  readonly value: string
}

/** A condition on a header or a query parameter. */
export interface ValueMatch {
  /** Of a header: lower case. */
  readonly name: string
  readonly value: string
  /** Absent: the value is compared as it is. */
  readonly type?: 'RegularExpression'
}

/** Holds when all its parts hold. */
export interface RouteMatch {
  readonly path: PathMatch
  readonly method?: string
  readonly headers?: readonly ValueMatch[]
  readonly query?: readonly ValueMatch[]
}

export type HeaderLine = readonly [name: string, value: string]

/** Names in lower case. Set first, then add, then remove, as the lists of one filter are disjoint. */
export interface HeaderEdits {
  readonly set?: readonly HeaderLine[]
  readonly add?: readonly HeaderLine[]
  readonly remove?: readonly string[]
}

/** `prefix` replaces what the rule's PathPrefix matched, `full` the whole path. */
export interface PathEdit {
  readonly type: 'full' | 'prefix'
  readonly value: string
}

/** What is not set stays as the client asked for it. */
export interface Redirect {
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly port?: number
  readonly path?: PathEdit
  readonly status: number
}

export interface Rewrite {
  readonly hostname?: string
  readonly path?: PathEdit
}

/** Of `denominator` requests `numerator` are sent there as well. */
export interface Mirror {
  /** A key of `Snapshot.upstreams`. */
  readonly upstream: string
  readonly numerator: number
  readonly denominator: number
}

export interface RetryPolicy {
  /** How often a request is sent again at the most. */
  readonly attempts: number
  /** Statuses that are tried again, beside connections that fail and timeouts of one attempt. */
  readonly codes: readonly number[]
  /** The least time before the first retry; it doubles with each. */
  readonly backoffMs: number
}

export interface Backend {
  /** A key of `Snapshot.upstreams`. */
  readonly upstream: string
  /** Its share of the sum of all weights. */
  readonly weight: number
  readonly requestHeaders?: HeaderEdits
  readonly responseHeaders?: HeaderEdits
}

export interface RouteRule {
  readonly name?: string
  /** At least one; the rule holds when any of them holds. */
  readonly matches: readonly RouteMatch[]
  /** Where requests go, by weight. None, or none with a weight: 500, unless it redirects. */
  readonly backends: readonly Backend[]
  readonly requestHeaders?: HeaderEdits
  readonly responseHeaders?: HeaderEdits
  readonly redirect?: Redirect
  readonly rewrite?: Rewrite
  readonly mirrors?: readonly Mirror[]
  /** Milliseconds for the whole exchange, retries and body included; 0: no bound. */
  readonly requestTimeoutMs?: number
  /** Milliseconds until one attempt's response headers, in place of the upstream's; 0: no bound. */
  readonly backendTimeoutMs?: number
  /** In place of the upstream's. */
  readonly retry?: RetryPolicy
}

export interface SnapshotListener {
  readonly name: string
  /** Lower case, `*.example.com` with a wildcard; absent: every host. */
  readonly hostname?: string
  /** Both are absent on the default Gateway, which is there without being declared. */
  readonly port?: number
  readonly protocol?: 'HTTP' | 'HTTPS'
}

export interface SnapshotGateway {
  readonly name: string
  readonly namespace: string
  readonly listeners: readonly SnapshotListener[]
  /** The chain of its requests that match no route, in request order. */
  readonly plugins: readonly string[]
}

/** A route as it is attached to one Gateway; a route with two Gateways is in the snapshot twice. */
export interface SnapshotRoute {
  readonly name: string
  readonly namespace: string
  /** `namespace/name` of one of `Snapshot.gateways`. */
  readonly gateway: string
  /** The names of the Gateway's listeners it is attached to; absent: all of them. */
  readonly listeners?: readonly string[]
  /**
   * Lower case; `*.example.com` matches any name below it, however deep. Empty: every host. What a
   * listener does not take of them is not the route's there (`hostnames.ts`).
   */
  readonly hostnames: readonly string[]
  readonly rules: readonly RouteRule[]
  /** Plugin ids in request order; the response runs them reversed. */
  readonly plugins: readonly string[]
}

/** After so many failures in a row an upstream is left alone for a while. */
export interface OutlierPolicy {
  /** Answers of 500 and above, and no answer at all. Absent: not counted. */
  readonly consecutive5xx?: number
  /** 502, 503, 504, and no answer at all. Absent: not counted. */
  readonly consecutiveGatewayErrors?: number
  /** How long the first time; the n-th time in a row n times as long. */
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
}

/** Where requests go: exactly one of `url` and `service` is set. */
export interface SnapshotUpstream {
  readonly name: string
  /** An origin, `http://` or `https://`, with a path before which request paths are put, if any. */
  readonly url?: string
  /** The name of a service binding of the Worker. */
  readonly service?: string
  /** Other names under which plugins and routes find it, such as Istio's cluster names. */
  readonly aliases: readonly string[]
  /** Milliseconds until response headers must have come. */
  readonly timeoutMs: number
  /** For requests of rules that say nothing of retries. */
  readonly retry?: RetryPolicy
  readonly outlier?: OutlierPolicy
  /** Paths it may be asked for and those below them, element by element; absent: all. */
  readonly allowedPaths?: readonly string[]
}
