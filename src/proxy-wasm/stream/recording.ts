/**
 * What passed one plugin in one stream: messages as they came to it and as they left it, in both
 * directions. Bodies are kept up to a bound; the bytes are those that go on, no copies.
 */
import { SHADOW_BODY_BYTES } from '../limits.ts'
import type { Direction } from './effects.ts'
import type { HeaderMap } from './header-map.ts'

/** A message at one side of the plugin. */
export class Passed {
  headers: HeaderMap | undefined
  /** The headers were all of it. */
  bodiless = false
  readonly chunks: Uint8Array<ArrayBuffer>[] = []
  /** Its last byte was seen. */
  ended = false
  size = 0

  /** The body; undefined where not all of it was seen. */
  get body(): Uint8Array<ArrayBuffer> | undefined {
    if (this.bodiless) return new Uint8Array(0)
    return this.ended ? joined(this.chunks, this.size) : undefined
  }
}

export class Recording {
  readonly request: { readonly came: Passed; readonly left: Passed } = sides()
  readonly response: { readonly came: Passed; readonly left: Passed } = sides()
  /** What plugins of the stream had set when it came. */
  stored: Map<string, Uint8Array> = new Map()
  /** More came than is kept. */
  overflowed = false
  /** Nothing comes any more. */
  over = false
  /** Nobody asks what comes of it any more. */
  isGivenUp = false
  #wake: (() => void) | undefined

  headers(direction: Direction, side: 'came' | 'left', headers: HeaderMap, end: boolean): void {
    const passed = this[direction][side]
    passed.headers = headers.clone()
    passed.bodiless = end
    this.#wake?.()
  }

  /** Nothing comes any more. */
  end(): void {
    this.over = true
    this.#wake?.()
  }

  /** Waits until something is there; for one at a time, in the request that it is of. @returns whether it is */
  async comes(isThere: () => boolean): Promise<boolean> {
    while (!isThere() && !this.over) {
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return isThere()
  }

  data(
    direction: Direction,
    side: 'came' | 'left',
    bytes: Uint8Array<ArrayBuffer>,
    end: boolean,
  ): void {
    const passed = this[direction][side]
    passed.size += bytes.length
    passed.ended = end
    if (passed.size <= SHADOW_BODY_BYTES) passed.chunks.push(bytes)
    else this.#drop()
    this.#wake?.()
  }

  #drop(): void {
    this.overflowed = true
    for (const direction of [this.request, this.response]) {
      direction.came.chunks.length = 0
      direction.left.chunks.length = 0
    }
  }
}

function sides(): { readonly came: Passed; readonly left: Passed } {
  return { came: new Passed(), left: new Passed() }
}

/** Chunks as one array. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
