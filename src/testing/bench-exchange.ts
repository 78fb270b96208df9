/** What a benchmark sends through a plugin, and the phases in which its cost is counted. */
import { HeaderMap } from '../proxy-wasm/index.ts'
import { textToBytes } from '../proxy-wasm/memory/byte-string.ts'
import type { TestStream } from './plugin-under-test.ts'

/** The phases of a stream, in order, and the callbacks in each. */
export const PHASES = {
  open: 'context_create',
  'request headers': 'request_headers',
  'request body': 'request_body',
  'response headers': 'response_headers',
  'response body': 'response_body',
  end: 'log, done, delete',
} as const

export type Phase = keyof typeof PHASES

export interface BenchMessage {
  /** Flat name, value, …; without them the message has no headers phase. */
  readonly headers?: readonly string[] | undefined
  /** The body as it comes in; an empty list is a message without a body. */
  readonly chunks: readonly Uint8Array<ArrayBuffer>[]
}

export interface BenchExchange {
  readonly request: BenchMessage
  readonly response: BenchMessage
  /** By dotted path: what `get_property` answers before what the stream itself knows. */
  readonly properties?: ReadonlyMap<string, Uint8Array> | undefined
}

/** A small request with a body and its answer. */
export const SIMPLE_EXCHANGE: BenchExchange = {
  request: {
    headers: Object.entries({
      ':method': 'POST',
      ':path': '/items?page=2',
      ':authority': 'shop.example',
      ':scheme': 'https',
      'user-agent': 'bench/1',
      accept: '*/*',
      'content-type': 'application/json',
      'content-length': '17',
    }).flat(),
    chunks: [textToBytes('{"name":"kettle"}')],
  },
  response: {
    headers: Object.entries({
      ':status': '200',
      'content-type': 'application/json',
      'content-length': '11',
      server: 'origin',
      'cache-control': 'no-store',
    }).flat(),
    chunks: [textToBytes('{"ok":true}')],
  },
}

/** What happens to a stream in one phase. */
export interface BenchStep {
  readonly phase: Phase
  readonly run: (stream: TestStream) => void
}

/** @returns the phases that an exchange has, from the stream's beginning to its end */
export function stepsOf({ request, response }: BenchExchange): BenchStep[] {
  const steps: BenchStep[] = [{ phase: 'open', run: ({ chain }) => chain.begin() }]
  const add = (phase: Phase, run: (stream: TestStream) => void): void => {
    steps.push({ phase, run: (stream) => void (isOver(stream) || run(stream)) })
  }
  for (const [direction, { headers, chunks }] of Object.entries({ request, response })) {
    const asks = direction === 'request'
    if (headers !== undefined) {
      add(asks ? 'request headers' : 'response headers', ({ chain }) => {
        const map = new HeaderMap([...headers])
        if (asks) chain.receiveRequestHeaders(map, chunks.length === 0)
        else chain.receiveResponseHeaders(map, chunks.length === 0)
      })
    }
    if (chunks.length === 0) continue
    add(asks ? 'request body' : 'response body', ({ chain }) => {
      for (const [at, chunk] of chunks.entries()) {
        const end = at === chunks.length - 1
        // a copy: the chain may keep and change what it is given
        if (asks) chain.receiveRequestData(chunk.slice(), end)
        else chain.receiveResponseData(chunk.slice(), end)
      }
    })
  }
  steps.push({ phase: 'end', run: ({ chain }) => chain.end() })
  return steps
}

/** Behind a plugin's answer no phase follows, as in a test. */
function isOver({ sink }: TestStream): boolean {
  return sink.reply !== undefined || sink.broken !== undefined
}
