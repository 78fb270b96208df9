/**
 * One request and what the snapshot that runs says of it: the route that takes it, where it goes, and
 * which plugins see it. One object is the key that routes are matched by and the options of the stream:
 * a request makes few objects, since what it makes is what the collector has to clear away.
 */
import type { RouteCandidate } from '../config/route-order.ts'
import type { SnapshotRoute } from '../config/snapshot.ts'
import type {
  FetchStreamOptions,
  HeaderMap,
  LocalReply,
  OutboundRequest,
  Plugin,
  Shadow,
  StreamInfo,
  VmPool,
  Watch,
} from '../proxy-wasm/index.ts'
import { splitUrl } from '../proxy-wasm/stream/fetch-headers.ts'
import { errorReply } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { addForwarded, stripTokens } from './forwarded.ts'
import { hostOf, type RouteKey } from './route-key.ts'
import type { Choice } from './attempts.ts'
import type { RuleActions } from './rule-actions.ts'
import type { Running } from './running.ts'
import { clientIp, streamInfo } from './stream-info.ts'
import type { Upstream } from './upstream.ts'

export class RoutedRequest implements RouteKey, FetchStreamOptions {
  readonly request: Request
  readonly io: Exchange
  readonly pool: VmPool
  readonly method: string
  readonly scheme: string
  /** Host and port that the client asked for. */
  readonly authority: string
  readonly host: string
  /** With query. */
  readonly path: string
  params?: URLSearchParams
  /** Undefined when no route takes it: then the Gateway's plugins see it, and it goes nowhere. */
  route: SnapshotRoute | undefined
  upstream: Upstream | undefined
  readonly plugins: readonly Plugin[]
  /** Of plugins among them; undefined where none has one. */
  shadows?: Shadow[]
  /** Of plugins among them that are compared by what they do. */
  watches?: Watch[]
  readonly #running: Running
  #info: StreamInfo | undefined
  /** Of a rule that does more than sending its requests to one upstream. */
  #actions: RuleActions | undefined
  #choice: Choice | undefined
  #prefix = '/'

  constructor(pool: VmPool, running: Running, request: Request, io: Exchange) {
    const { url, method } = request
    const { scheme, authority, path } = splitUrl(url)
    this.request = request
    this.io = io
    this.pool = pool
    this.method = method
    this.scheme = scheme
    this.authority = authority
    this.host = hostOf(authority)
    this.path = path
    this.#running = running
    const found = running.routes.match(this)
    this.#take(found)
    const chain = found === undefined ? running.chainWithoutRoute(this) : running.chain(found.route)
    const plugins = running.atPort(chain, this)
    const { rollouts } = running
    this.plugins = rollouts === undefined ? plugins : rollouts.choose(plugins, this, io)
  }

  /** @param found - undefined when no route takes it */
  #take(found: RouteCandidate | undefined): void {
    const to = found && this.#running.destination(found.rule)
    this.route = found?.route
    this.upstream = to?.upstream
    this.#actions = to?.actions
    if (found === undefined || to?.actions === undefined) return
    this.#choice = to.actions.pick()
    this.upstream = this.#choice?.upstream
    const { type, value } = found.match.path
    this.#prefix = type === 'PathPrefix' ? value : '/'
  }

  get observer(): Exchange {
    return this.io
  }

  /** Made for the first who asks: a route without plugins needs none. */
  get info(): StreamInfo {
    const { route, upstream } = this
    this.#info ??= streamInfo(this.request, this.pool.ports.clock.realtime(), {
      routeName: route && `${route.namespace}/${route.name}`,
      clusterName: upstream?.name,
      upstream,
    })
    return this.#info
  }

  header(name: string): string | null {
    return this.request.headers.get(name)
  }

  prepare(headers: HeaderMap): void {
    addForwarded(headers, clientIp(this.request))
    if (this.io.visitor?.sentTokens) stripTokens(headers)
  }

  forward(outbound: OutboundRequest): Promise<Response | LocalReply> {
    if (outbound.routeCleared) this.#reroute(outbound)
    const { authority } = outbound
    // what a request has begun ends with it here: only one that may break off before needs a controller
    const abort = outbound.mayBreakOff ? outbound.abort : undefined
    const { method, path, headers, body } = outbound
    if (authority === this.authority) return this.send(method, path, headers, body, abort)
    // Fetch sends the upstream's own host: what a plugin made of it travels beside it
    const renamed = new Headers(headers)
    renamed.set('x-forwarded-host', authority)
    return this.send(method, path, renamed, body, abort, authority)
  }

  /** `clear_route_cache`: the upstream is picked again from the edited headers; the chain stays. */
  #reroute({ authority, path, method, headerMap }: OutboundRequest): void {
    const found = this.#running.routes.match({
      host: hostOf(authority),
      scheme: this.scheme,
      authority,
      path,
      method,
      header: (name) => headerMap.get(name),
    })
    this.#take(found)
    const { info, route, upstream } = this
    info.routeName = route && `${route.namespace}/${route.name}`
    info.clusterName = upstream?.name
    info.upstream = upstream
  }

  /** What plugins may ask for when it has come back. */
  #retried(count: number, upstream: Upstream): void {
    if (this.plugins.length === 0) return
    const { info } = this
    info.attempts = count
    info.clusterName = upstream.name
    info.upstream = upstream
  }

  /** Sends it to its upstream. @param abort - gives the exchange up, where something may have to */
  send(
    method: string,
    path: string,
    headers: HeadersInit,
    body: OutboundRequest['body'],
    abort: AbortController | undefined,
    authority: string = this.authority,
  ): Promise<Response | LocalReply> {
    const { upstream } = this
    if (this.#actions !== undefined) {
      const { scheme } = this
      const setting = {
        scheme,
        authority,
        prefix: this.#prefix,
        abort,
        waitUntil: (promise: Promise<unknown>): void => this.io.waitUntil(promise),
        retried: (count: number, to: Upstream): void => this.#retried(count, to),
      }
      return this.#actions.send(this.#choice, { method, path, headers, body }, setting)
    }
    if (upstream === undefined) {
      return Promise.resolve(errorReply(this.route ? 'upstream.unknown' : 'route.none'))
    }
    const signal = abort?.signal ?? null
    return upstream.forward(path, { method, headers, body, redirect: 'manual', signal }, abort)
  }
}
