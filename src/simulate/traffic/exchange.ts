/**
 * One request that a simulation plays, and what is known of the answers to it: the same form whether it
 * was recorded, written by hand or generated. Plain data, which can go to another thread.
 */

import { textToBytes } from '../../proxy-wasm/memory/byte-string.ts'

/** Name and value. Names are lower case; values are byte strings, as `Headers` takes them. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** What was answered, by an upstream or to a callout. */
export interface RecordedAnswer {
  /** 200 to 599. */
  readonly status: number
  readonly headers: HeaderList
  /** Without any content coding. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** What a plugin's callouts are answered with. */
export interface CalloutAnswer {
  /** The name, or an alias, of an Upstream. */
  readonly upstream: string
  /** Absent: any. */
  readonly method?: string
  /** With query; one that ends in `*` stands for all that begin so; absent: any. */
  readonly path?: string
  /** Or that nobody answers. */
  readonly answer: RecordedAnswer | { readonly failure: 'connect' | 'timeout' | 'reset' }
}

export interface RecordedExchange {
  /** Where it stands, for people: `shop.har, entry 3`, `generated 17`. */
  readonly place: string
  readonly method: string
  /** Absolute, `http` or `https`. */
  readonly url: string
  readonly headers: HeaderList
  readonly body: Uint8Array<ArrayBuffer> | undefined
  /** Milliseconds since the Unix epoch; undefined where it is not known. */
  readonly at: number | undefined
  /** The upstream's; undefined: the default answer. */
  readonly answer: RecordedAnswer | undefined
  /** In the order in which they were given. */
  readonly callouts: readonly CalloutAnswer[]
}

/** Where nothing was recorded. */
export const DEFAULT_ANSWER: RecordedAnswer = {
  status: 200,
  headers: [['content-type', 'application/json']],
  body: textToBytes('{}'),
}
