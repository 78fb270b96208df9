/**
 * Looks on where a plugin has a shadow: one tap in front of the plugin and one behind it, which hold
 * nothing and change nothing. When the stream ends, the shadow run begins with what they have seen.
 */
import type { Plugin } from '../vm/plugin.ts'
import { CallRecords } from '../vm/call-records.ts'
import type { LoadedModule } from '../vm/loaded-module.ts'
import type { Chain } from './chain.ts'
import type { Direction } from './effects.ts'
import { Filter } from './filter.ts'
import type { LocalReply } from './local-reply.ts'
import { Recording } from './recording.ts'
import { runShadow, ShadowRun, tellVerdict } from './shadow-run.ts'
import { Tally } from './tally.ts'
import type { NotCompared, ShadowObserver, Verdict } from './verdict.ts'

/** Another version of a plugin, to run behind the stream on a copy. */
export interface Shadow {
  readonly stable: Plugin
  /** Its spec says `logOnly`: with `callouts: 'replay'` it runs behind the stream, else beside it, while it goes on. */
  readonly candidate: Plugin
  readonly observer: ShadowObserver
}

/** Of one isolate, from a stream's beginning to its shadow's end: with their bodies, 16 MiB at the most. */
export const SHADOWS_MAX = 32
/** The same of those that run while their streams go on: they take longer, and few have bodies. */
export const LIVE_MAX = 64

/**
 * Puts taps around the plugins that have a shadow.
 * @param filters - of the chain, in request order
 * @param chains - of which a shadow gets one of its own
 * @returns those and the taps
 */
export function withTaps(
  chain: Chain,
  filters: readonly Filter[],
  shadows: readonly Shadow[],
  chains: typeof Chain,
): Filter[] {
  return filters.flatMap((filter) => {
    const shadow = shadows.find(({ stable }) => stable === filter.plugin)
    if (shadow === undefined) return [filter]
    const { pool, spec } = shadow.candidate
    // one that could be seen or heard must not run a second time
    if (spec.logOnly === undefined) {
      shadow.observer.notCompared('unavailable')
      return [filter]
    }
    const isLive = spec.logOnly.callouts !== 'replay'
    if (pool.shadows >= (isLive ? LIVE_MAX : SHADOWS_MAX)) {
      shadow.observer.notCompared('busy')
      return [filter]
    }
    pool.shadows++
    if (!isLive) chain.io.calls ??= new CallRecords()
    filter.tally ??= new Tally()
    const seen = new Seen(chain, filter, shadow, chains)
    return [new Tap(chain, seen, 'request'), filter, new Tap(chain, seen, 'response')]
  })
}

/** What both taps of a plugin share. */
class Seen {
  readonly recording = new Recording()
  readonly shadow: Shadow
  readonly #chain: Chain
  readonly #stable: Filter
  readonly #chains: typeof Chain
  #over = false
  #live: { readonly run: ShadowRun; readonly verdict: Promise<Verdict | undefined> } | undefined

  constructor(chain: Chain, stable: Filter, shadow: Shadow, chains: typeof Chain) {
    this.#chains = chains
    this.#chain = chain
    this.#stable = stable
    this.shadow = shadow
  }

  readsBody(direction: Direction): boolean {
    const { spec } = this.shadow.candidate
    return !this.#over && (this.#stable.readsBody(direction) || exportsBody(spec.module, direction))
  }

  /** Whether what passes as a response now is what the plugin has answered itself. */
  get isOwnAnswer(): boolean {
    return this.#stable.answer !== undefined
  }

  /** The request's headers have come: what runs beside the stream begins with it. */
  begin(): void {
    const { candidate } = this.shadow
    if (this.#live !== undefined || candidate.spec.logOnly?.callouts === 'replay') return
    const { info, io } = this.#chain
    const setting = { info, io, beside: this.#chain, isLive: true }
    const run = new ShadowRun(candidate, this.recording, setting, this.#chains)
    this.#live = { run, verdict: run.verdict() }
    io.waitUntil(this.#live.verdict)
  }

  /** More has come than is kept. */
  overflow(): void {
    if (this.recording.overflowed) this.#end('too-large')
  }

  /** The stream is over. */
  close(): void {
    const { io, info } = this.#chain
    const { request, response } = this.recording
    // it was over before it came here
    if (request.came.headers === undefined) return this.#end()
    if (this.#over) return
    const decided = this.isOwnAnswer || this.#stable.bypassed
    const whole = (direction: Direction): boolean =>
      this.recording[direction].came.bodiless ||
      this.recording[direction].came.ended ||
      !this.readsBody(direction)
    const isWhole = whole('request') && response.came.headers !== undefined && whole('response')
    if (io.gone || (!decided && (!isWhole || response.left.headers === undefined))) {
      return this.#end('incomplete')
    }
    this.#over = true
    const { answer, tally } = this.#stable
    const failed = this.#stable.bypassed || answer === 'failure'
    const reply = failed ? undefined : (answer as LocalReply | undefined)
    const shadowed = { info, io, failed, reply, tally }
    this.recording.end()
    const live = this.#live
    const run =
      live === undefined
        ? runShadow(this.shadow, this.recording, shadowed, this.#chains)
        : live.verdict.then((verdict) =>
            tellVerdict(this.shadow, this.recording, shadowed, live.run.lacks, verdict),
          )
    io.waitUntil(run.finally(() => this.#release()))
  }

  #end(why?: NotCompared): void {
    if (this.#over) return
    this.#over = true
    this.recording.isGivenUp = true
    this.recording.end()
    this.#live?.run.stop()
    if (why !== undefined) this.shadow.observer.notCompared(why)
    this.#release()
  }

  #release(): void {
    this.shadow.candidate.pool.shadows--
  }
}

class Tap extends Filter {
  readonly #outer: Chain
  readonly #seen: Seen
  /** The direction in which messages come to the plugin through this tap. */
  readonly #front: Direction
  #created = false

  constructor(outer: Chain, seen: Seen, front: Direction) {
    super(outer, seen.shadow.candidate, undefined)
    this.#outer = outer
    this.#seen = seen
    this.#front = front
  }

  override get alive(): boolean {
    return true
  }

  override get created(): boolean {
    return this.#created
  }

  override readsBody(direction: Direction): boolean {
    return this.#seen.readsBody(direction)
  }

  override open(): undefined {
    this.#created = true
  }

  override onHeaders(direction: Direction, _count: number, endOfStream: boolean): number {
    this.#created = true
    const { requestHeaders, responseHeaders, stored } = this.#outer
    const headers = direction === 'request' ? requestHeaders : responseHeaders
    if (headers === undefined || this.#ignores(direction)) return 0
    const { recording } = this.#seen
    if (this.#front === 'request' && direction === 'request' && stored.size > 0) {
      recording.stored = new Map(stored)
    }
    recording.headers(direction, this.#sideOf(direction), headers, endOfStream)
    if (this.#front === 'request' && direction === 'request') this.#seen.begin()
    return 0
  }

  override onBody(direction: Direction, _size: number, endOfStream: boolean): number {
    if (this.#ignores(direction)) return 0
    const bytes = this.flow(direction).buffer.whole()
    this.#seen.recording.data(direction, this.#sideOf(direction), bytes, endOfStream)
    this.#seen.overflow()
    return 0
  }

  override log(): void {}

  override close(): void {
    if (this.#front === 'request') this.#seen.close()
  }

  #sideOf(direction: Direction): 'came' | 'left' {
    return direction === this.#front ? 'came' : 'left'
  }

  /** What a plugin answers itself passes its own response callbacks: nothing has come to it. */
  #ignores(direction: Direction): boolean {
    return direction === 'response' && this.#seen.isOwnAnswer
  }
}

const readers = new WeakMap<LoadedModule, Readonly<Record<Direction, boolean>>>()

/** Whether a module has a body callback: asked before a vm of it runs. */
function exportsBody(module: LoadedModule, direction: Direction): boolean {
  let reads = readers.get(module)
  if (reads === undefined) {
    const names = new Set(exportsOf(module))
    reads = {
      request: names.has('proxy_on_request_body'),
      response: names.has('proxy_on_response_body'),
    }
    readers.set(module, reads)
  }
  return reads[direction]
}

function exportsOf(loaded: LoadedModule): string[] {
  try {
    return WebAssembly.Module.exports(loaded.module).map(({ name }) => name)
  } catch {
    // it cannot be had: the run says so
    return []
  }
}
