/** One request through scripted probes, and everything that came of it. */
import type {
  HttpCallOutcome,
  IoContext,
  LocalReply,
  OutboundRequest,
  Plugin,
  PluginOptions,
} from '../../src/proxy-wasm/index.ts'
import {
  machine,
  type Machine,
  type MachineOptions,
  probe,
  type ProbeLine,
  script,
} from './machine.ts'

/** What reached the upstream, its body read. */
export interface Sent {
  readonly method: string
  readonly scheme: string
  readonly authority: string
  readonly path: string
  readonly headers: Headers
  readonly body: string
  readonly routeCleared: boolean
}

export interface Played {
  readonly host: Machine
  readonly plugins: readonly Plugin[]
  readonly response: Response
  /** The response's body, one character for each byte. */
  readonly body: string
  /** What reached the upstream; undefined when nothing did. */
  readonly sent: Sent | undefined
  readonly lines: ProbeLine[]
}

export type Steps = Readonly<Record<string, readonly unknown[]>>

export interface PlayOptions extends MachineOptions {
  readonly request?: Request
  readonly response?: Response | LocalReply | ((sent: Sent) => Response | Promise<Response>)
  readonly plugin?: Partial<PluginOptions>
  readonly host?: Machine
  readonly io?: IoContext
  readonly decoded?: ReadonlySet<string>
}

/** Sends one request through one probe with these steps. */
export function play(steps: Steps, options: PlayOptions = {}): Promise<Played> {
  return playChain([{ configuration: script(steps), ...options.plugin }], options)
}

/** Sends one request through a chain of plugins, probes unless they say otherwise. */
export async function playChain(
  chain: readonly Partial<PluginOptions>[],
  options: PlayOptions = {},
): Promise<Played> {
  const host = options.host ?? machine(options)
  const plugins = await Promise.all(
    chain.map((plugin, i) => host.plugin({ module: probe(), name: `p${i + 1}`, ...plugin })),
  )
  return playPlugins(host, plugins, options)
}

/** Sends one request through plugins that are there already. */
export async function playPlugins(
  host: Machine,
  plugins: readonly Plugin[],
  options: PlayOptions = {},
): Promise<Played> {
  let sent: Sent | undefined
  const { response: answer = new Response('ok', { headers: { 'content-length': '2' } }) } = options
  const response = await host.send(plugins, {
    ...(options.request && { request: options.request }),
    ...(options.io && { io: options.io }),
    ...(options.decoded && { decoded: options.decoded }),
    async upstream(outbound) {
      sent = await read(outbound)
      return typeof answer === 'function' ? answer(sent) : answer
    },
  })
  const body = latin1(new Uint8Array(await response.arrayBuffer()))
  return { host, plugins, response, body, sent, lines: host.lines() }
}

async function read(outbound: OutboundRequest): Promise<Sent> {
  const { method, scheme, authority, path, headers, body, routeCleared } = outbound
  const bytes = new Uint8Array(await new Response(body).arrayBuffer())
  return {
    method,
    scheme,
    authority,
    path,
    headers: new Headers(headers),
    body: latin1(bytes),
    routeCleared,
  }
}

/** One character for each byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** The calls that a guest made during its nth callback of that name (of one context, if given). */
export function during(
  lines: readonly ProbeLine[],
  callback: string,
  nth = 1,
  context?: number,
): ProbeLine[] {
  let seen = 0
  for (const [i, line] of lines.entries()) {
    if (line.on !== callback || (context !== undefined && line['context'] !== context)) continue
    if (++seen !== nth) continue
    const rest = lines.slice(i + 1)
    const end = rest.findIndex((next) => next.on !== undefined)
    return end < 0 ? rest : rest.slice(0, end)
  }
  throw new Error(`the guest was never called back in ${callback} (${nth})`)
}

/** Names of the callbacks in order, those of one context if given. */
export function callbacks(lines: readonly ProbeLine[], context?: number): string[] {
  return lines.flatMap((line) =>
    line.on && (context === undefined || line['context'] === context) ? [line.on] : [],
  )
}

/** The lines of one callback. */
export function on(lines: readonly ProbeLine[], callback: string): ProbeLine[] {
  return lines.filter((line) => line.on === callback)
}

/** The lines of one host call. */
export function calls(lines: readonly ProbeLine[], call: string): ProbeLine[] {
  return lines.filter((line) => line.call === call)
}

/** Statuses of calls, in order. */
export function statuses(lines: readonly ProbeLine[]): unknown[] {
  return lines.map((line) => line['status'])
}

/** A body that comes in these chunks. */
export function chunked(...parts: readonly string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(Uint8Array.from(Buffer.from(part, 'latin1')))
      controller.close()
    },
  })
}

/** A POST with a body: text of known length, or chunks of unknown length. */
export function post(
  body: string | readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Request {
  const known = typeof body === 'string'
  return new Request('http://shop.example/items?page=2', {
    method: 'POST',
    headers: { ...(known && { 'content-length': String(body.length) }), ...headers },
    body: known ? Uint8Array.from(Buffer.from(body, 'latin1')) : chunked(...body),
    duplex: 'half',
  } as RequestInit)
}

/** A callout's reply. */
export function reply(
  status: number,
  body = '',
  headers: readonly string[] = [],
): HttpCallOutcome & { readonly headers: readonly string[] } {
  return {
    headers: [':status', String(status), ...headers],
    body: Uint8Array.from(Buffer.from(body, 'latin1')),
    trailers: [],
  }
}

/** A step that starts a callout to the upstream `authz`. */
export function callout(fields: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    call: 'http_call',
    upstream: 'authz',
    headers: [
      [':method', 'GET'],
      [':path', '/check'],
      [':authority', 'authz'],
    ],
    ...fields,
  }
}

export const PAUSE = { call: 'return', action: 1 } as const
