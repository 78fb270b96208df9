/** One request and its response through a plugin under test, and all that was seen of them. */
import type { LogLevel } from '../proxy-wasm/index.ts'
import { bytesToText, byteStringToText, textToBytes } from '../proxy-wasm/memory/byte-string.ts'
import type { PluginUnderTest, TestStream } from './plugin-under-test.ts'
import type { Recorded } from './recording-sink.ts'
import type { Callout } from './test-callouts.ts'
import { type HeadersLike, TestHeaders, toHeaderMap } from './test-headers.ts'

type Body = string | Uint8Array<ArrayBuffer>

export interface TestResponse {
  readonly status?: number
  readonly headers?: HeadersLike
  /** A list comes in as that many chunks. */
  readonly body?: Body | readonly Body[]
}

export interface TestRequest {
  readonly method?: string
  /** With query. */
  readonly path?: string
  readonly authority?: string
  readonly scheme?: string
  readonly headers?: HeadersLike
  /** A list comes in as that many chunks. */
  readonly body?: Body | readonly Body[]
  /** By dotted path, such as `source.address`: what `get_property` answers. */
  readonly properties?: Readonly<Record<string, Body>>
  /** What the upstream answers; 200 without a body by default. */
  readonly response?: TestResponse | ((request: SeenRequest) => TestResponse)
}

/** A request or response as it left the plugin. */
export interface SeenMessage {
  readonly headers: TestHeaders
  readonly body: Uint8Array<ArrayBuffer>
  /** The body as text. */
  readonly text: string
}

export interface SeenRequest extends SeenMessage {
  readonly method: string
  readonly path: string
}

export interface SeenResponse extends SeenMessage {
  readonly status: number
}

export interface TestLogLine {
  readonly level: LogLevel
  readonly message: string
}

export interface TestResult {
  /** As the upstream saw it; undefined when it never got there. */
  readonly request: SeenRequest | undefined
  /** As the client saw it; undefined when nothing came. */
  readonly response: SeenResponse | undefined
  /** The plugin's own answer, as it was given. */
  readonly answer:
    | { readonly status: number; readonly details: string; readonly grpcStatus: number | undefined }
    | undefined
  /** Why the stream was broken off. */
  readonly reset: string | undefined
  /** The plugin held the stream, and nothing that could have moved it was under way. */
  readonly paused: boolean
  readonly routeCleared: boolean
  readonly logs: readonly TestLogLine[]
  readonly callouts: readonly Callout[]
  /** What the plugin set, by dotted path. */
  readonly properties: ReadonlyMap<string, string>
}

const chunks = (body: TestRequest['body']): Uint8Array<ArrayBuffer>[] => {
  if (body === undefined) return []
  const list = Array.isArray(body) ? (body as readonly Body[]) : [body as Body]
  return list.map(bytesOf)
}

const bytesOf = (body: Body): Uint8Array<ArrayBuffer> =>
  typeof body === 'string' ? textToBytes(body) : body

/** Sends `request` through the plugin. @param callouts - what the plugin calls is added here by its ports */
export async function exchange(
  plugin: PluginUnderTest,
  request: TestRequest,
  callouts: readonly Callout[],
): Promise<TestResult> {
  const calledBefore = callouts.length
  plugin.takeLogs()
  const given = Object.entries(request.properties ?? {}).map(
    ([path, value]) => [path, bytesOf(value)] as const,
  )
  const stream = plugin.stream(new Map(given))
  const { chain, sink } = stream
  const seen = await send(plugin, stream, request)
  const over = (): boolean => sink.reply !== undefined || sink.broken !== undefined
  if (seen !== undefined && !over()) await answer(plugin, stream, request, seen)
  const paused = !over() && (chain.request.paused || chain.response.paused)
  // what the plugin asked for and did not wait for
  await Promise.allSettled(plugin.test.underWay)
  await turn()
  chain.end()
  const { reply } = sink
  return {
    request: seen,
    response: seenResponse(sink.response),
    answer: reply && {
      status: reply.status,
      details: reply.details,
      grpcStatus: reply.grpcStatus,
    },
    reset: sink.broken,
    paused,
    routeCleared: sink.routeCleared,
    logs: plugin.takeLogs().map(({ level, message }) => ({ level, message })),
    callouts: callouts.slice(calledBefore),
    properties: new Map(
      Array.from(chain.stored, ([path, value]) => [
        byteStringToText(path).replaceAll('\0', '.'),
        bytesToText(value),
      ]),
    ),
  }
}

/** @returns the request as it left, or undefined when it did not leave whole */
async function send(
  plugin: PluginUnderTest,
  { chain, sink }: TestStream,
  request: TestRequest,
): Promise<SeenRequest | undefined> {
  const { method = 'GET', path = '/', authority = 'test.example', scheme = 'https' } = request
  const pieces = chunks(request.body)
  const pseudo = { ':method': method, ':path': path, ':authority': authority, ':scheme': scheme }
  chain.receiveRequestHeaders(toHeaderMap(pseudo, request.headers), pieces.length === 0)
  await settled(plugin, () => chain.request.paused)
  for (const [at, piece] of pieces.entries()) {
    chain.receiveRequestData(piece, at === pieces.length - 1)
    await settled(plugin, () => chain.request.paused)
  }
  const { headers, ended } = sink.request
  if (headers === undefined || !ended) return undefined
  return {
    ...seenMessage(sink.request),
    method: headers.get(':method') ?? '',
    path: headers.get(':path') ?? '',
  }
}

async function answer(
  plugin: PluginUnderTest,
  { chain }: TestStream,
  { response = {} }: TestRequest,
  seen: SeenRequest,
): Promise<void> {
  const { status = 200, headers, body } = typeof response === 'function' ? response(seen) : response
  const pieces = chunks(body)
  const map = toHeaderMap({ ':status': String(status) }, headers)
  chain.receiveResponseHeaders(map, pieces.length === 0)
  await settled(plugin, () => chain.response.paused)
  for (const [at, piece] of pieces.entries()) {
    chain.receiveResponseData(piece, at === pieces.length - 1)
    await settled(plugin, () => chain.response.paused)
  }
}

/** Waits for callouts while the plugin holds the stream and one is under way. */
async function settled(plugin: PluginUnderTest, paused: () => boolean): Promise<void> {
  const { underWay } = plugin.test
  while (paused() && underWay.size > 0) {
    await Promise.race(underWay)
    await turn()
  }
}

/** Lets what has been promised happen. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

function seenResponse(recorded: Recorded): SeenResponse | undefined {
  const status = recorded.headers?.get(':status')
  return status === undefined ? undefined : { ...seenMessage(recorded), status: Number(status) }
}

function seenMessage({ headers, body }: Recorded): SeenMessage {
  return { headers: new TestHeaders(headers?.lines ?? []), body, text: bytesToText(body) }
}
