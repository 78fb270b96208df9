/**
 * Moves one direction's body from a Fetch stream through the chain: reads only while the chain takes
 * bytes, waits while a plugin holds it. Small bodies of known size come as one chunk.
 */
import type { Chain } from './chain.ts'
import type { Direction } from './effects.ts'
import type { Outlet } from './fetch-sink.ts'

/** A declared size up to this is read at once: one callback instead of several. */
export const SMALL_BODY_BYTES: number = 64 * 1024

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

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
  #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined
  #received = 0
  #done = false

  constructor(options: BodyPumpOptions) {
    this.#options = options
  }

  /** Whether no more bytes will leave the chain. */
  get finished(): boolean {
    const { outlet, chain, direction } = this.#options
    return outlet.ended || chain.ended || chain[direction].closed
  }

  /** One step: reads and feeds one chunk, or waits for a plugin. @throws what reading the body throws */
  async step(): Promise<void> {
    const { chain, direction, untilMoved } = this.#options
    if (this.#done || !chain[direction].wantsData) {
      await untilMoved()
      return
    }
    const chunk = await this.#read()
    if (this.finished) return
    if (direction === 'request') chain.receiveRequestData(chunk, this.#done)
    else chain.receiveResponseData(chunk, this.#done)
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    const { body, size } = this.#options
    if (this.#reader === undefined && size !== undefined && size <= SMALL_BODY_BYTES) {
      this.#done = true
      return new Uint8Array(await new Response(body).arrayBuffer())
    }
    this.#reader ??= body.getReader()
    const { done, value } = await this.#reader.read()
    if (done) {
      this.#done = true
      return EMPTY
    }
    this.#received += value.length
    // the last chunk of a body of known size says so itself: no empty one has to follow
    if (this.#received === size) this.#done = true
    return value
  }

  /** What leaves the chain, as a stream that pulls the pump. @param onEnd - called once, however it ends */
  stream(
    onEnd: () => void,
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
              if (this.finished) {
                onEnd()
                controller.close()
                return
              }
              await this.step()
            }
          } catch (error) {
            onEnd()
            controller.error(error)
          }
        },
        cancel: async (reason) => {
          onEnd()
          await this.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Reads no further. */
  async cancel(reason: unknown): Promise<void> {
    this.#done = true
    if (this.#reader !== undefined) await this.#reader.cancel(reason)
    else if (!this.#options.body.locked) await this.#options.body.cancel(reason)
  }
}
