/**
 * Streams that are open beside the ones being measured, each at a point of its own in the same exchange: a plugin that
 * walks over all its streams, or whose memory is scattered by them, shows here what that costs.
 */
import type { BenchStep } from './bench-exchange.ts'
import type { TestStream } from './plugin-under-test.ts'

interface BackgroundStream {
  stream: TestStream
  /** The step that comes next. */
  next: number
}

export class BackgroundStreams {
  readonly #open: () => TestStream
  readonly #steps: readonly BenchStep[]
  readonly #streams: BackgroundStream[] = []
  #turn = 0

  /**
   * Opens the streams and takes each into its first phase.
   * @param open - makes a stream that has seen nothing yet
   * @param steps - of the exchange, from the stream's beginning to its end
   */
  constructor(count: number, open: () => TestStream, steps: readonly BenchStep[]) {
    this.#open = open
    this.#steps = steps
    for (let at = 0; at < count; at++) {
      this.#streams.push({ stream: open(), next: 0 })
    }
    this.advance(2 * count)
  }

  /** Number of streams, at whatever point they are. */
  get size(): number {
    return this.#streams.length
  }

  /** Takes the next `count` streams one phase on, in turn; one that has ended begins anew. */
  advance(count: number): void {
    for (let i = 0; i < count && this.#streams.length > 0; i++) {
      const one = this.#streams[this.#turn] as BackgroundStream
      this.#turn = (this.#turn + 1) % this.#streams.length
      if (one.next === this.#steps.length) Object.assign(one, { stream: this.#open(), next: 0 })
      this.#steps[one.next]?.run(one.stream)
      one.next++
    }
  }

  /** Ends all of them. */
  close(): void {
    for (const { stream } of this.#streams) stream.chain.end()
    this.#streams.length = 0
  }
}
