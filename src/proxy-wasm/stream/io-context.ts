/**
 * Which request's I/O is running now. On Workers, promises, timers and fetches belong to the request
 * that made them, while a vm serves many requests; so every turn of the machine runs inside one I/O
 * context, and what concerns another one is posted there instead of being done here.
 */
import type { CallRecords, CallReplay } from '../vm/call-records.ts'

export interface IoContext {
  /** Keeps the context alive until the promise settles (Workers: `ctx.waitUntil`). */
  waitUntil(promise: Promise<unknown>): void
  /** Set when its client has gone: nothing that it started can be relied on any more. */
  gone: boolean
  /** What callouts came to, where a shadow is to follow. */
  calls?: CallRecords | undefined
  /** Of a shadow run: what its callouts are answered with. */
  readonly replay?: CallReplay | undefined
}

let running: IoContext | undefined

/** The context that runs now. @throws outside of `runIn`, which is a programming error */
export function runningIo(): IoContext {
  if (running === undefined) throw new Error('the machine was entered outside of an I/O context')
  return running
}

/** @returns whether `io` is the context that runs now */
export function isRunningIn(io: IoContext): boolean {
  return running === io
}

/** Runs `turn` (synchronous) in `io`. May nest: the outer context is put back afterwards. */
export function runIn<T>(io: IoContext, turn: () => T): T {
  const outer = running
  running = io
  try {
    return turn()
  } finally {
    running = outer
  }
}

/** A context for places without requests (tests, tools): waits for nothing, never goes. */
export function standaloneIo(): IoContext {
  return { waitUntil: () => undefined, gone: false }
}
