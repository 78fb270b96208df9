/**
 * One direction of a chain: headers and body go from plugin to plugin, each may hold them, and a
 * resume lets them go on from where they are held. The model is Envoy's filter manager.
 */
import { Action } from '../abi/enums.ts'
import type { Chain } from './chain.ts'
import type { Direction } from './effects.ts'
import type { Filter } from './filter.ts'
import { type Flow, Hold } from './flow.ts'
import type { HeaderMap } from './header-map.ts'

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

export class Passage {
  readonly direction: Direction
  readonly #chain: Chain
  /** In the order of this direction. */
  readonly #filters: readonly Filter[]
  #headers: HeaderMap | undefined
  #closed = false

  constructor(chain: Chain, direction: Direction, filters: readonly Filter[]) {
    this.#chain = chain
    this.direction = direction
    this.#filters = filters
  }

  /** Whether nothing moves here any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** Whether a plugin holds something back. */
  get paused(): boolean {
    return !this.#closed && this.#filters.some((filter) => filter.flow(this.direction).paused)
  }

  /** Whether more body bytes can be taken now: everything held, or enough held, waits for a resume. */
  get wantsData(): boolean {
    if (this.#closed) return false
    for (const filter of this.#filters) {
      const flow = filter.flow(this.direction)
      if (!flow.backPressure || !flow.paused) continue
      if (flow.hold === Hold.All || flow.held >= filter.spec.limits.bodyBytes) return false
    }
    return true
  }

  /** Whether any plugin that takes part has a body callback. */
  get readsBody(): boolean {
    for (const filter of this.#filters) if (this.#reads(filter)) return true
    return false
  }

  /** Whether one of them may change it: log-only plugins look on. */
  get editsBody(): boolean {
    for (const filter of this.#filters) {
      if (filter.spec.logOnly === undefined && this.#reads(filter)) return true
    }
    return false
  }

  /**
   * Leaves out the plugins that would read a body which cannot be shown to them.
   * @returns false when one of them must not be left out
   */
  leaveOutReaders(): boolean {
    const readers = this.#filters.filter(
      (filter) => filter.spec.logOnly === undefined && this.#reads(filter),
    )
    if (!readers.every((filter) => filter.failsOpen && filter.plugin.failOpen())) return false
    for (const filter of readers) {
      const { plugin } = filter
      const details = 'response_coding_unknown'
      if (plugin.tells) plugin.decided({ class: 'fail-open', details }, this.#chain)
      filter.bypass()
    }
    return true
  }

  /** Whether what is still to come cannot do without `filter`, once headers have left. */
  needs(filter: Filter): boolean {
    return !this.#closed && (filter.flow(this.direction).paused || this.#reads(filter))
  }

  /** Nothing goes on from here: a local reply has taken over, or the stream ends. */
  close(): void {
    this.#closed = true
  }

  /** Headers enter at the first plugin. */
  headers(headers: HeaderMap, endOfStream: boolean): void {
    if (this.#closed) return
    this.#headers = headers
    this.#headersFrom(0, endOfStream)
  }

  /** Body bytes enter at the first plugin. */
  data(chunk: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    if (!this.#closed) this.#dataFrom(0, chunk, endOfStream)
  }

  /** The guest (or its failure, with `callGuest` false) lets go of what `filter` holds. */
  resume(filter: Filter, callGuest: boolean): void {
    const flow = filter.flow(this.direction)
    if (this.#closed || !flow.paused) return
    this.#chain.moves++
    const index = this.#filters.indexOf(filter)
    const { hold } = flow
    flow.hold = Hold.None
    flow.bodyPaused = false
    flow.backPressure = false
    if (hold !== Hold.None) {
      this.#headersFrom(index + 1, flow.headersEnd)
      if (this.#closed) return
    }
    if (!flow.dataSeen) return
    // what arrived behind held headers has not been shown to this plugin yet; a held body has
    if (hold === Hold.All && callGuest && filter.readsBody(this.direction)) {
      this.#dataFrom(index, EMPTY, flow.dataEnd)
      return
    }
    const held = flow.take()
    // nothing was kept and more is to come: later plugins need not be told
    if (held.length > 0 || flow.dataEnd) this.#dataFrom(index + 1, held, flow.dataEnd)
  }

  #reads(filter: Filter): boolean {
    return filter.readsBody(this.direction) && this.#takesPart(filter)
  }

  #takesPart(filter: Filter): boolean {
    return !filter.bypassed && (this.direction === 'request' || filter.created)
  }

  #headersFrom(start: number, endOfStream: boolean): void {
    const headers = this.#headers as HeaderMap
    for (let i = start; i < this.#filters.length; i++) {
      const filter = this.#filters[i] as Filter
      if (!this.#takesPart(filter)) continue
      const flow = filter.flow(this.direction)
      flow.headersSeen = true
      flow.headersEnd = endOfStream
      const action = filter.onHeaders(this.direction, headers.size, endOfStream)
      this.#chain.settle(filter, this.direction)
      if (this.#closed) return
      if (filter.bypassed) continue
      const hold = flow.resumeAsked ? Hold.None : this.#headersHold(action, filter)
      if (hold === Hold.None) continue
      flow.hold = hold
      flow.backPressure = hold === Hold.All && action !== Action.StopIterationNoBuffer
      return
    }
    this.#chain.sendHeaders(this.direction, headers, endOfStream)
  }

  #dataFrom(start: number, data: Uint8Array<ArrayBuffer>, endOfStream: boolean): void {
    let chunk = data
    for (let i = start; i < this.#filters.length; i++) {
      const filter = this.#filters[i] as Filter
      if (!this.#takesPart(filter)) continue
      const flow = filter.flow(this.direction)
      flow.dataSeen = true
      flow.dataEnd = endOfStream
      if (flow.hold === Hold.All) {
        flow.buffer.append(chunk)
        this.#limit(filter, flow)
        return
      }
      if (!flow.paused && !filter.readsBody(this.direction)) continue
      flow.buffer.append(chunk)
      const action = filter.onBody(this.direction, flow.shown, endOfStream)
      this.#chain.settle(filter, this.direction)
      if (this.#closed) return
      if (!filter.bypassed && !flow.resumeAsked && action !== Action.Continue) {
        this.#holdBody(filter, flow, action)
        return
      }
      flow.bodyPaused = false
      flow.backPressure = false
      chunk = flow.take()
      if (flow.hold !== Hold.None) {
        flow.hold = Hold.None
        this.#headersFrom(i + 1, false)
        if (this.#closed) return
      }
      // nothing came through and more is to come: later plugins need not be told
      if (chunk.length === 0 && !endOfStream) return
    }
    this.#chain.sendData(this.direction, chunk, endOfStream)
  }

  #holdBody(filter: Filter, flow: Flow, action: number): void {
    flow.bodyPaused = true
    flow.backPressure = action === Action.StopIterationAndWatermark
    if (action >>> 0 >= Action.StopIterationNoBuffer) flow.buffer.clear()
    else if (flow.backPressure) flow.keep()
    else {
      flow.show()
      this.#limit(filter, flow)
    }
  }

  /** A plugin that buffers more than it may ends the stream: 413 for a request, 500 for a response. */
  #limit(filter: Filter, flow: Flow): void {
    if (flow.backPressure || flow.held <= filter.spec.limits.bodyBytes) return
    flow.buffer.clear()
    this.#chain.bodyTooLarge(this.direction, filter)
  }

  /**
   * The raw action of a headers callback. A Pause holds the body too, unless the plugin opted out of
   * that and sees the body: without a body callback the first chunk would let the headers go.
   */
  #headersHold(action: number, filter: Filter): Hold {
    switch (action) {
      case 0:
      case 2:
        return Hold.None
      case 1:
        return filter.spec.allowOnHeadersStopIteration && filter.readsBody(this.direction)
          ? Hold.Headers
          : Hold.All
      default:
        return Hold.All
    }
  }
}
