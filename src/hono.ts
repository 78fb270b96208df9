/**
 * Proxy-Wasm plugins as Hono middleware, in any Hono app, on Workers and on Node.
 *
 * ```ts
 * import { Hono } from 'hono'
 * import { proxyWasm } from 'postern/hono'
 * import headerPolicy from './header-policy.wasm'
 *
 * const app = new Hono()
 * app.use('/api/*', proxyWasm({ plugins: [{ module: headerPolicy, configuration: { request: { set: { 'x-a': '1' } } } }] }))
 * ```
 * @module
 */
import type { Context, MiddlewareHandler } from 'hono'
import { errorResponse } from './gateway/errors.ts'
import {
  describeError,
  type ForeignFunctionsPort,
  type GrpcCallsPort,
  type HttpCallsPort,
  type IoContext,
  inMemoryPorts,
  loadModule,
  Plugin,
  type PluginOptions,
  pluginSpec,
  type Ports,
  runFetchStream,
  type StreamInfo,
  VmPool,
  vmKey,
} from './proxy-wasm/index.ts'
import { envoyFunctions } from './foreign/index.ts'
import { grpcCallsPort } from './gateway/grpc-calls.ts'
import { httpCallsPort } from './gateway/http-calls.ts'
import { Upstream } from './gateway/upstream.ts'
import { streamInfo } from './gateway/stream-info.ts'

/** One plugin; what is left out has Envoy's default. */
export interface ProxyWasmPlugin extends Omit<PluginOptions, 'module' | 'name' | 'configuration'> {
  /** Compiled: a Wasm import on Workers, `await WebAssembly.compile(bytes)` on Node. */
  readonly module: WebAssembly.Module
  /** For logs and `plugin_name`; `plugin-<n>` when absent. */
  readonly name?: string
  /** An object is given to the plugin as JSON. */
  readonly configuration?: string | Uint8Array<ArrayBuffer> | object
}

export interface ProxyWasmOptions {
  /** In request order; responses run them backwards. */
  readonly plugins: readonly ProxyWasmPlugin[]
  /** Upstreams that plugins may call, by the name they use: an origin such as `https://authz.example`. */
  readonly upstreams?: Readonly<Record<string, string>>
  /** Ports of the machine that differ from the in-memory ones (log, shared data, metrics, …). */
  readonly ports?: Partial<Ports>
}

const UPSTREAM_TIMEOUT_MS = 15_000

/**
 * Middleware that runs a chain of plugins around what follows it. Plugins see the request's body only
 * if they have a body callback; the handlers after them see the edited request.
 * @throws LoadError when a module is no Proxy-Wasm module
 */
export function proxyWasm(options: ProxyWasmOptions): MiddlewareHandler {
  const pool = new VmPool(inMemoryPorts({ ...callouts(options), ...options.ports }))
  const chain = options.plugins.map((plugin, index) => specOf(plugin, index))
  let plugins: readonly Plugin[] | undefined

  return async function proxyWasm(c, next): Promise<Response | undefined> {
    if (plugins === undefined) {
      const keys = await Promise.all(chain.map((spec) => vmKey(spec)))
      // another first request may have been faster: its plugins are the ones that run
      plugins ??= chain.map((spec, index) => new Plugin(spec, keys[index] as string, pool))
    }
    const request = await unread(c)
    let thrown: { readonly error: unknown } | undefined
    try {
      const response = await runFetchStream({
        plugins,
        pool,
        request,
        io: ioOf(c),
        info: streamInfo(request, pool.ports.clock.realtime(), {}) satisfies StreamInfo,
        async forward({ method, scheme, authority, path, headers, body, abort }) {
          const url = `${scheme}://${authority}${path}`
          c.req.raw = new Request(url, withBody({ method, headers, signal: abort.signal }, body))
          try {
            await next()
          } catch (error) {
            thrown = { error }
            throw error
          }
          return c.res
        },
      })
      return answered(c, response)
    } catch (error) {
      // what a later handler throws is the app's to answer
      if (thrown !== undefined) throw thrown.error
      pool.ports.log.log({
        level: 4,
        message: describeError(error),
        plugin: '',
        rootId: '',
        vmId: '',
        contextId: 0,
      })
      // what the handlers have answered has not passed the plugins, so it must not go out
      return answered(c, errorResponse('gateway.internal'))
    }
  }
}

/** Hono takes no response from a middleware whose `next` has answered, and merges one that is set. */
function answered(c: Context, response: Response): Response | undefined {
  if (!c.finalized) return response
  c.res = undefined
  c.res = response
  return undefined
}

function specOf(
  { module, name, configuration, ...rest }: ProxyWasmPlugin,
  index: number,
): ReturnType<typeof pluginSpec> {
  const text =
    configuration === undefined ||
    typeof configuration === 'string' ||
    configuration instanceof Uint8Array
      ? (configuration ?? '')
      : JSON.stringify(configuration)
  // without the bytes there is no hash: in one middleware a module is told apart by its place
  return pluginSpec({
    ...rest,
    name: name ?? `plugin-${index + 1}`,
    module: loadModule(module, `unhashed-${index}`),
    configuration: text,
  })
}

function callouts({ upstreams = {} }: ProxyWasmOptions): {
  readonly httpCalls: HttpCallsPort
  readonly grpcCalls: GrpcCallsPort
  readonly foreignFunctions: ForeignFunctionsPort
} {
  const table = new Map(
    Object.entries(upstreams).map(([name, url]) => [
      name,
      new Upstream(
        { name, url, aliases: [], timeoutMs: UPSTREAM_TIMEOUT_MS },
        { network: { fetch: (target, init) => fetch(target, init) }, service: () => undefined },
      ),
    ]),
  )
  const find = (_plugin: string, upstream: string): Upstream | undefined => table.get(upstream)
  return {
    httpCalls: httpCallsPort(find),
    grpcCalls: grpcCallsPort(find),
    foreignFunctions: envoyFunctions(),
  }
}

/** The request as it is, or with the body again that an earlier middleware has read: Hono keeps it. */
async function unread(c: Context): Promise<Request> {
  const { raw } = c.req
  if (!raw.bodyUsed) return raw
  const { method } = raw
  return new Request(raw, { method, body: await c.req.arrayBuffer() })
}

/** Hono's `executionCtx` throws where the platform has none (Node). */
function ioOf(c: Context): IoContext {
  let waitUntil = (promise: Promise<unknown>): void => void promise.catch(() => undefined)
  try {
    const { executionCtx } = c
    waitUntil = (promise) => executionCtx.waitUntil(promise)
  } catch {
    // a server without execution contexts keeps promises alive by itself
  }
  return { waitUntil, gone: false }
}

/** Node asks for `duplex` when a body is a stream; Workers ignore it. */
function withBody(
  init: RequestInit,
  body: ReadableStream | Uint8Array<ArrayBuffer> | null,
): RequestInit {
  return body === null ? init : ({ ...init, body, duplex: 'half' } as RequestInit)
}
