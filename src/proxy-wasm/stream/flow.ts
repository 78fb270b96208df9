/** What one plugin holds of one direction of one stream. Plain state; `passage.ts` moves it. */
import { BodyBuffer } from './body-buffer.ts'

/** Nothing held; headers held while body callbacks go on; everything held. */
export const Hold = { None: 0, Headers: 1, All: 2 } as const
export type Hold = (typeof Hold)[keyof typeof Hold]

export class Flow {
  hold: Hold = Hold.None
  /** The plugin has kept body bytes to see more of them. */
  bodyPaused = false
  /** Held bytes are not limited by a local reply but by reading no more. */
  backPressure = false
  headersSeen = false
  /** The headers were the end of the stream. */
  headersEnd = false
  dataSeen = false
  /** The last byte has arrived here. */
  dataEnd = false
  /** A callback of this direction runs now. */
  inCallback = false
  /** The guest asked to go on during that callback: a Pause it then returns counts as Continue. */
  resumeAsked = false
  #buffer: BodyBuffer | undefined
  #kept: BodyBuffer | undefined

  get buffer(): BodyBuffer {
    return (this.#buffer ??= new BodyBuffer())
  }

  /** Bytes that the guest can see, without making a buffer. */
  get shown(): number {
    return this.#buffer?.size ?? 0
  }

  /** Bytes held in all. */
  get held(): number {
    return this.shown + (this.#kept?.size ?? 0)
  }

  /** What was shown stays held, and the guest is shown what comes next alone (Envoy's Watermark). */
  keep(): void {
    const kept = (this.#kept ??= new BodyBuffer())
    kept.append(this.buffer.take())
  }

  /** What was kept is shown again, in front of the rest. */
  show(): void {
    if (this.#kept === undefined) return
    const rest = this.buffer.take()
    this.buffer.append(this.#kept.take())
    this.buffer.append(rest)
  }

  /** Hands over all bytes held. */
  take(): Uint8Array<ArrayBuffer> {
    this.show()
    return this.buffer.take()
  }

  get edited(): boolean {
    return this.#buffer?.edited ?? false
  }

  /** Whether anything waits here. */
  get paused(): boolean {
    return this.hold !== Hold.None || this.bodyPaused
  }
}
