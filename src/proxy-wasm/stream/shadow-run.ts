/**
 * A run of another version of a plugin, alone in a chain of its own: as a shadow on the recording of a
 * stream that is over, so that nothing is waited for but the plugin itself; or live, beside the stream,
 * on what is recorded of it as it comes.
 */
import { SHADOW_BODY_BYTES, SHADOW_MS } from '../limits.ts'
import type { Plugin } from '../vm/plugin.ts'
import type { StreamInfo } from './attributes.ts'
import type { Chain } from './chain.ts'
import type { Direction, EffectSink } from './effects.ts'
import type { Filter } from './filter.ts'
import type { HeaderMap } from './header-map.ts'
import type { IoContext } from './io-context.ts'
import type { LocalReply } from './local-reply.ts'
import { joined, type Passed, type Recording } from './recording.ts'
import type { Shadow } from './shadow-tap.ts'
import { Tally } from './tally.ts'
import type { NotCompared, Outcome, Verdict, VerdictMessage } from './verdict.ts'

const WAIT_MARGIN_MS = 5

/** The stream that is over. */
export interface Shadowed {
  readonly info: StreamInfo
  readonly io: IoContext
  /** The plugin failed, whether the stream went on without it or not. */
  readonly failed: boolean
  /** What the plugin has answered. */
  readonly reply: LocalReply | undefined
  /** Of the plugin: complete by the time that a shadow runs. */
  readonly tally: Tally | undefined
}

/**
 * Runs the shadow, and tells its observer. Never rejects for what a plugin does.
 * @param chains - the class of the shadow's own chain
 */
export async function runShadow(
  { candidate, observer }: Shadow,
  recording: Recording,
  shadowed: Shadowed,
  chains: typeof Chain,
): Promise<void> {
  const { pool } = candidate
  // the response goes first: a plugin that computes for long must not keep it back
  await new Promise<void>((resolve) => pool.ports.timers.after(0, resolve))
  if (shadowed.io.calls?.overflowed) return observer.notCompared('too-large')
  const setting = { ...shadowed, beside: recording, isLive: false }
  const run = new ShadowRun(candidate, recording, setting, chains)
  const verdict = await run.verdict()
  tellVerdict({ candidate, observer }, recording, shadowed, run.lacks, verdict)
}

/**
 * Tells what came of a run.
 * @param lacks - why there is no verdict, where there is none
 */
export function tellVerdict(
  { candidate, observer }: Pick<Shadow, 'candidate' | 'observer'>,
  recording: Recording,
  shadowed: Shadowed,
  lacks: NotCompared,
  verdict: Verdict | undefined,
): void {
  if (verdict === undefined) {
    const isDown = lacks === 'unavailable' && candidate.refusal === undefined
    return observer.notCompared(lacks, isDown ? shadowed.tally : undefined)
  }
  const { info, io } = shadowed
  const request = recording.request.came.headers as HeaderMap
  observer.compared(stableVerdict(recording, shadowed), verdict, { info, request, io })
}

function stableVerdict({ request, response }: Recording, shadowed: Shadowed): Verdict {
  const { reply, failed, tally } = shadowed
  return {
    outcome: failed ? 'failed' : reply === undefined ? 'passed' : 'answered',
    reply,
    request: messageOf(request.left),
    response: messageOf(response.left),
    tally,
  }
}

function messageOf({ headers, body }: Passed): VerdictMessage | undefined {
  return headers && { headers: headers.lines, body }
}

/** What has left the candidate in one direction. */
class Left {
  headers: readonly string[] | undefined
  readonly chunks: Uint8Array[] = []
  size = 0
  ended = false
}

/** Where another version of a plugin runs: behind a stream, or beside it while it goes on. */
export interface RunSetting {
  readonly info: StreamInfo
  readonly io: IoContext
  /** What plugins of the stream have set. */
  readonly beside: Pick<Chain, 'stored'>
  readonly isLive: boolean
}

export class ShadowRun implements EffectSink {
  /** Why there is no verdict, where there is none. */
  lacks: NotCompared = 'unavailable'
  readonly #candidate: Plugin
  readonly #recording: Recording
  readonly #io: IoContext
  readonly #chain: Chain
  readonly #tally = new Tally()
  readonly #isLive: boolean
  #until: number
  readonly #left: Readonly<Record<Direction, Left>> = { request: new Left(), response: new Left() }
  /** Whose bodies it was shown. */
  readonly #reads: Record<Direction, boolean> = { request: false, response: false }
  #reply: LocalReply | undefined
  #reset = false
  #held = false

  constructor(
    candidate: Plugin,
    recording: Recording,
    { info, io, beside, isLive }: RunSetting,
    chains: typeof Chain,
  ) {
    const { pool } = candidate
    this.#candidate = candidate
    this.#recording = recording
    this.#isLive = isLive
    this.#until = pool.now() + SHADOW_MS
    const replay = isLive ? undefined : io.calls?.replay()
    this.#io = { waitUntil: (work) => io.waitUntil(work), gone: false, replay }
    this.#chain = new chains({
      plugins: [candidate],
      io: this.#io,
      strand: pool.strand,
      sink: this,
      info: isLive ? info : asItWas(info),
      beside,
    })
    if (this.#filter !== undefined) this.#filter.tally = this.#tally
  }

  /** @returns undefined where it cannot be said what the candidate would have done */
  async verdict(): Promise<Verdict | undefined> {
    const { request, response } = this.#recording
    try {
      if (this.#filter?.root === undefined) return undefined
      const passes = await this.#message('request', request.came)
      const { came } = response
      if (passes && (await this.#recording.comes(() => came.headers !== undefined))) {
        await this.#message('response', came)
      }
      // it is waited with while the stream goes on, though it has come to its end
      if (this.#isLive) await this.#recording.comes(() => false)
      return this.lacks === 'incomplete' ? undefined : this.#verdict()
    } finally {
      this.stop()
    }
  }

  /** Its stream ends now, whatever it waits for. */
  stop(): void {
    this.#chain.end()
    // what it has called is given up with it
    this.#io.gone = true
  }

  requestHeaders(headers: HeaderMap): void {
    this.#left.request.headers = [...headers.lines]
  }

  requestData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#data('request', data, endOfStream)
  }

  responseHeaders(headers: HeaderMap): void {
    this.#left.response.headers = [...headers.lines]
  }

  responseData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#data('response', data, endOfStream)
  }

  localReply(reply: LocalReply): void {
    this.#reply ??= reply
  }

  reset(): void {
    this.#reset = true
  }

  clearRouteCache(): void {}

  #data(direction: Direction, data: Uint8Array, endOfStream: boolean): void {
    const left = this.#left[direction]
    left.size += data.length
    left.ended ||= endOfStream
    // it may make more of a body than a stream would take
    if (left.size <= SHADOW_BODY_BYTES) left.chunks.push(data)
  }

  get #filter(): Filter | undefined {
    return this.#chain.filters[0]
  }

  get #isOver(): boolean {
    const { isGivenUp } = this.#recording
    return this.#reply !== undefined || this.#reset || this.#filter?.bypassed === true || isGivenUp
  }

  /** Shows it one message. @returns whether all of it has passed */
  async #message(direction: Direction, came: Passed): Promise<boolean> {
    const chain = this.#chain
    const passage = chain[direction]
    const left = this.#left[direction]
    const headers = (came.headers as HeaderMap).clone()
    if (direction === 'request') chain.receiveRequestHeaders(headers, came.bodiless)
    else chain.receiveResponseHeaders(headers, came.bodiless)
    const reads = passage.readsBody
    this.#reads[direction] = reads
    const isWhole = (): boolean => came.bodiless || came.ended || !reads
    const has = (index: number) => (): boolean =>
      index < came.chunks.length || came.ended || came.bodiless || this.#isOver
    for (let index = 0; reads && (await this.#recording.comes(has(index))); index += 1) {
      const chunk = came.chunks[index]
      if (chunk === undefined) break
      if (!(await this.#movedUntil(() => passage.wantsData, isWhole))) return false
      const end = came.ended && index === came.chunks.length - 1
      if (direction === 'request') chain.receiveRequestData(chunk, end)
      else chain.receiveResponseData(chunk, end)
    }
    const isOut = (): boolean =>
      left.headers !== undefined && (left.ended || !came.ended || !reads) && !passage.paused
    return this.#movedUntil(isOut, isWhole)
  }

  /** @returns false when it is over, or nothing is under way that could move it */
  async #movedUntil(isSo: () => boolean, isWhole: () => boolean): Promise<boolean> {
    if (this.#isLive) this.#until = this.#candidate.pool.now() + SHADOW_MS
    while (!this.#isOver) {
      if (isSo()) return true
      if (await this.#moved()) continue
      // it may wait for what the stream did not wait for
      if (isWhole()) this.#held = true
      else this.lacks = 'incomplete'
      return false
    }
    return false
  }

  async #moved(): Promise<boolean> {
    const { pool } = this.#candidate
    const root = this.#filter?.root
    const now = pool.now()
    const waits = root !== undefined && (root.vm.callouts.size > 0 || root.nextTickMs !== undefined)
    if (!waits || now >= this.#until) return false
    const wait = Math.max(Math.min(this.#until, this.#chain.nextTurn ?? this.#until) - now, 0)
    await this.#chain.changed(wait + WAIT_MARGIN_MS, pool.ports.timers.after)
    this.#chain.turn()
    return true
  }

  #verdict(): Verdict {
    return {
      outcome: this.#outcome,
      reply: this.#reply,
      request: this.#passed('request'),
      response: this.#passed('response'),
      tally: this.#tally,
    }
  }

  get #outcome(): Outcome {
    if (this.#filter?.bypassed || this.#filter?.answer === 'failure') return 'failed'
    if (this.#reply !== undefined) return 'answered'
    if (this.#reset) return 'reset'
    return this.#held ? 'held' : 'passed'
  }

  #passed(direction: Direction): VerdictMessage | undefined {
    const { headers, chunks, size, ended } = this.#left[direction]
    if (headers === undefined) return undefined
    const { came } = this.#recording[direction]
    if (!this.#reads[direction] || came.bodiless) return { headers, body: came.body }
    // of one that is longer than is kept, its length is enough to tell it from one that is not
    const kept = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const body = kept === size ? joined(chunks, size) : new Uint8Array(size)
    return { headers, body: ended ? body : undefined }
  }
}

/** Without what was known of the stream only when it was over. */
function asItWas(info: StreamInfo): StreamInfo {
  return new Proxy(info, {
    get: (target, name): unknown =>
      name === 'duration' || name === 'responseDetails' ? undefined : Reflect.get(target, name),
  })
}
