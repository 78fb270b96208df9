/**
 * The place of a log-only plugin in a chain. The plugin runs in a chain of its own, beside the one that
 * the request goes through: it is fed copies of what passes, and what comes out of it is compared with
 * that, told as decisions, and dropped. A pause there holds nothing here: what the plugin could only have
 * seen after it waits in a queue, also behind the request's end.
 */
import type { Plugin } from '../vm/plugin.ts'
import type { Chain } from './chain.ts'
import type { ChainOptions } from './chain-options.ts'
import { type Decision, replyDecision } from './decision.ts'
import type { Direction, EffectSink } from './effects.ts'
import { Filter } from './filter.ts'
import { headerChanges } from './header-changes.ts'
import type { HeaderMap } from './header-map.ts'
import { type LocalReply, missingHeader } from './local-reply.ts'

/** How long a plugin that waits for a callout is waited for when its request has ended. */
const LINGER_MS = 10_000
/** Of one isolate: beyond it they end with their requests. */
const LINGERING_MAX = 1_000
const WAIT_MARGIN_MS = 5

/** What is known of one direction. */
class Seen {
  before: HeaderMap | undefined
  given = 0
  passed = 0
  told = false
  pausedAt: number | undefined
  /** Of the chain, when the pause began. */
  moves = 0
}

export class Aside extends Filter implements EffectSink {
  readonly #outer: Chain
  readonly #side: Chain
  readonly #seen: Readonly<Record<Direction, Seen>> = { request: new Seen(), response: new Seen() }
  /** Of the response, while the plugin holds the request. */
  readonly #queue: (() => void)[] = []
  #queued = 0
  #feeding = false
  #blind = false
  /** Something of the response's body was shown, or waits to be. */
  #bodyCame = false
  #cleared = false
  #closed = false

  /**
   * @param chains - the class of the plugin's own chain
   * @param watches - of the outer chain
   */
  constructor(
    outer: Chain,
    plugin: Plugin,
    chains: typeof Chain,
    watches: ChainOptions['watches'],
  ) {
    super(outer, plugin, undefined)
    this.#outer = outer
    const { io, strand, info } = outer
    const check = (direction: Direction, headers: HeaderMap): LocalReply | undefined => {
      const reply = missingHeader(direction, headers)
      if (reply !== undefined) this.#tell(replyDecision(reply))
      return reply
    }
    this.#side = new chains({
      plugins: [plugin],
      io,
      strand,
      info,
      check,
      sink: this,
      beside: outer,
      watches,
    })
  }

  override get alive(): boolean {
    return true
  }

  override get created(): boolean {
    return this.#side.requestHeaders !== undefined
  }

  override readsBody(direction: Direction): boolean {
    const side = this.#side
    return !this.#blind && !side.answered && !side.ended && side[direction].readsBody
  }

  override open(): undefined {
    this.#side.begin()
  }

  override onHeaders(direction: Direction, _count: number, endOfStream: boolean): number {
    const outer = this.#outer
    const headers = direction === 'request' ? outer.requestHeaders : outer.responseHeaders
    if (headers === undefined) return 0
    const seen = this.#seen[direction]
    seen.before = headers.clone()
    const copy = headers.clone()
    this.#feed(direction, 0, () => {
      if (direction === 'request') this.#side.receiveRequestHeaders(copy, endOfStream)
      else this.#side.receiveResponseHeaders(copy, endOfStream)
    })
    return 0
  }

  override onBody(direction: Direction, size: number, endOfStream: boolean): number {
    const bytes = this.flow(direction).buffer.whole()
    this.#bodyCame ||= direction === 'response'
    this.#feed(direction, size, () => {
      const seen = this.#seen[direction]
      const limit = this.spec.limits.bodyBytes
      // where Envoy would read no more, the stream goes on here
      if (seen.given > limit && !this.#side[direction].wantsData) return this.#goBlind(direction)
      seen.given += size
      if (direction === 'request') this.#side.receiveRequestData(bytes, endOfStream)
      else this.#side.receiveResponseData(bytes, endOfStream)
    })
    return 0
  }

  /** Its logs come when its own stream ends, which may be later. */
  override log(): void {}

  override close(): void {
    if (this.#closed) return
    this.#closed = true
    // its vm may have failed in another request meanwhile
    if (this.#isPaused) this.#side.turn()
    this.#flush()
    const { io } = this.#outer
    const { pool } = this.plugin
    if (io.gone || !this.#waitsForCallout || pool.lingering >= LINGERING_MAX) this.#finish()
    else io.waitUntil(this.#linger())
  }

  requestHeaders(headers: HeaderMap): void {
    this.#headersPassed('request', headers)
  }

  requestData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#dataPassed('request', data, endOfStream)
  }

  responseHeaders(headers: HeaderMap): void {
    this.#headersPassed('response', headers)
  }

  responseData(data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    this.#dataPassed('response', data, endOfStream)
  }

  localReply(): void {
    // what it says in its own callback it has not been waited for
    if (this.#feeding) return
    this.#tellPause('request', true)
    this.#tellPause('response', true)
  }

  reset(details: string): void {
    this.localReply()
    this.#tell({ class: 'reset', details })
  }

  clearRouteCache(): void {
    if (!this.#cleared) this.#tell({ class: 'clear-route-cache' })
    this.#cleared = true
  }

  #tell(decision: Decision): void {
    this.plugin.decided(decision, this.#side)
  }

  #feed(direction: Direction, size: number, event: () => void): void {
    if (this.#blind) return
    if (direction === 'request') return this.#take(event)
    this.#queued += size
    if (this.#queued > this.spec.limits.bodyBytes && this.#blocked) return this.#goBlind(direction)
    this.#queue.push(event)
    this.#flush()
  }

  /** What waits for the plugin to let go of the request. */
  #flush(): void {
    while (!this.#blocked) {
      const event = this.#queue.shift()
      if (event === undefined) break
      this.#take(event)
    }
    if (this.#queue.length === 0) this.#queued = 0
  }

  get #blocked(): boolean {
    const side = this.#side
    return !side.answered && (!side.requestSent || side.request.paused)
  }

  #take(event: () => void): void {
    this.#feeding = true
    event()
    this.#feeding = false
    this.#note('request')
    this.#note('response')
  }

  /** A pause begins, or has ended meanwhile. */
  #note(direction: Direction): void {
    const seen = this.#seen[direction]
    if (!this.#side[direction].paused) this.#letGo(direction)
    else if (seen.pausedAt === undefined) {
      seen.pausedAt = this.plugin.pool.now()
      seen.moves = this.#side.moves
    }
  }

  /** A plugin that waits for more of a body lets go by itself: that is no pause that is told of. */
  #letGo(direction: Direction): void {
    const seen = this.#seen[direction]
    if (this.#side.moves === seen.moves) seen.pausedAt = undefined
    else this.#tellPause(direction, true)
  }

  #tellPause(direction: Direction, resumed: boolean): void {
    const seen = this.#seen[direction]
    if (seen.pausedAt === undefined) return
    const ms = this.plugin.pool.now() - seen.pausedAt
    seen.pausedAt = undefined
    this.#tell({ class: 'paused', details: direction, ms, resumed })
  }

  #headersPassed(direction: Direction, headers: HeaderMap): void {
    this.#letGo(direction)
    const { before } = this.#seen[direction]
    // those of a local reply were told with it
    if (before === undefined || (direction === 'response' && this.#side.answered)) return
    const changes = headerChanges(before.lines, headers.lines)
    if (changes !== undefined) this.#tell({ class: `${direction}-headers`, headers: changes })
  }

  #dataPassed(direction: Direction, data: Uint8Array, endOfStream: boolean): void {
    this.#letGo(direction)
    this.#seen[direction].passed += data.length
    if (endOfStream) this.#tellBody(direction)
  }

  #tellBody(direction: Direction): void {
    const seen = this.#seen[direction]
    const edited = this.#side.filters[0]?.flow(direction).edited
    if (seen.told || !edited || this.#side.answered) return
    seen.told = true
    this.#tell({ class: `${direction}-body`, bytes: { before: seen.given, after: seen.passed } })
  }

  #goBlind(direction: Direction): void {
    this.#blind = true
    this.#queue.length = 0
    this.#tell({ class: 'unseen', details: `${direction} body beyond limits.bodyBytes` })
  }

  get #waitsForCallout(): boolean {
    const [filter] = this.#side.filters
    return this.#isPaused && (filter?.root?.vm.callouts.size ?? 0) > 0
  }

  get #isPaused(): boolean {
    const { request, response } = this.#side
    return request.paused || response.paused
  }

  /** The request has ended, and a callout may still say what would have become of it. */
  async #linger(): Promise<void> {
    const { pool } = this.plugin
    const { io } = this.#outer
    const until = pool.now() + Math.min(LINGER_MS, this.spec.limits.pauseMs)
    pool.lingering++
    while (!io.gone && this.#waitsForCallout) {
      const now = pool.now()
      if (now >= until) break
      const wait = Math.max(Math.min(until, this.#side.nextTurn ?? until) - now, 0)
      await this.#side.changed(wait + WAIT_MARGIN_MS, pool.ports.timers.after)
      this.#side.turn()
      this.#flush()
    }
    pool.lingering--
    this.#finish()
  }

  #finish(): void {
    for (const direction of ['request', 'response'] as const) {
      this.#tellPause(direction, false)
      this.#tellBody(direction)
    }
    const coding = this.#seen.response.before?.get('content-encoding')
    if (coding !== undefined && !this.#bodyCame && this.readsBody('response')) {
      this.#tell({ class: 'unseen', details: `response body in content coding ${coding}` })
    }
    this.#side.end()
  }
}
