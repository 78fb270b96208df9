/**
 * Moves one direction's body from a Fetch stream through the chain: reads only while the chain takes
 * bytes, waits while a plugin holds it. Small bodies of known size come as one chunk.
 */
import type { Chain } from './chain.ts'
import { ChunkReader } from './chunk-reader.ts'
import type { Direction } from './effects.ts'
import type { Outlet } from './fetch-sink.ts'

/** A declared size up to this is read at once: one callback instead of several. */
export const SMALL_BODY_BYTES: number = 64 * 1024

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly last: boolean
}

export interface BodyPumpOptions {
  readonly direction: Direction
  readonly chain: Chain
  readonly outlet: Outlet
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  /** Declared size in bytes of what `body` yields; undefined when unknown. */
  readonly size: number | undefined
  /** Waits until mail or time has moved the chain. */
  readonly untilMoved: () => Promise<void>
}

export class BodyPump {
  readonly #options: BodyPumpOptions
  #reader: ChunkReader | undefined
  /** Under way; kept while something else comes first, and for ever when it has failed. */
  #reading: Promise<Piece> | undefined
  #received = 0
  #done = false

  constructor(options: BodyPumpOptions) {
    this.#options = options
  }

  /** Whether the body was declared to be small enough to be taken whole. */
  get small(): boolean {
    const { size } = this.#options
    return size !== undefined && size <= SMALL_BODY_BYTES
  }

  /** Whether no more bytes will leave the chain. */
  get finished(): boolean {
    const { outlet, chain, direction } = this.#options
    return outlet.ended || chain.ended || chain[direction].closed
  }

  /**
   * One step: reads and feeds one chunk, or waits for a plugin. Ends early when the chain moves while a
   * slow sender is waited for: it may have been answered.
   * @throws what reading the body throws, on every further step too
   */
  async step(): Promise<void> {
    const { chain, direction, untilMoved } = this.#options
    if (this.#done || !chain[direction].wantsData) {
      await untilMoved()
      return
    }
    this.#reading ??= this.#read()
    const piece = await chain.orMoved(this.#reading)
    if (piece === undefined) return
    this.#reading = undefined
    this.#done = piece.last
    if (this.finished) return
    if (direction === 'request') chain.receiveRequestData(piece.bytes, piece.last)
    else chain.receiveResponseData(piece.bytes, piece.last)
  }

  async #read(): Promise<Piece> {
    const { body, size } = this.#options
    if (this.small) {
      return { bytes: new Uint8Array(await new Response(body).arrayBuffer()), last: true }
    }
    this.#reader ??= new ChunkReader(body)
    const value = await this.#reader.read()
    if (value === undefined) return { bytes: EMPTY, last: true }
    this.#received += value.length
    // the last chunk of a body of known size says so itself: no empty one has to follow
    return { bytes: value, last: this.#received === size }
  }

  /**
   * What leaves the chain, as a stream that pulls the pump.
   * @param onEnd - called when it ends, before anybody can see that it has. `whole` is
   *   false when it breaks off: workerd ends a request whose body stream fails as if it were whole, so
   *   who sends one has to abort it first
   */
  stream(
    onEnd: (whole: boolean) => void,
    broken: () => string | undefined,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { outlet } = this.#options
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          try {
            for (;;) {
              const chunk = outlet.next()
              if (chunk !== undefined) {
                controller.enqueue(chunk)
                return
              }
              const details = broken()
              if (details !== undefined) throw new Error(details)
              if (outlet.ended) {
                onEnd(true)
                controller.close()
                return
              }
              // a body that was cut off must not look whole to who receives it
              if (this.finished)
                throw new Error('the stream was answered before its body had ended')
              await this.step()
            }
          } catch (error) {
            onEnd(false)
            controller.error(error)
          }
        },
        cancel: async (reason) => {
          onEnd(false)
          await this.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Reads no further. */
  async cancel(reason: unknown): Promise<void> {
    this.#done = true
    try {
      if (this.#reader !== undefined) await this.#reader.cancel(reason)
      else if (!this.#options.body.locked) await this.#options.body.cancel(reason)
    } catch {
      // it had broken off by itself
    }
  }
}
