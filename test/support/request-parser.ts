/** Cuts a connection's bytes into requests: heads as they are, bodies without their chunk frames. */

/** A request's head, and where its body goes. */
export interface BodyTaker {
  /** Set when the connection has changed protocols: what follows is no HTTP. */
  readonly upgraded: boolean
  data(bytes: Buffer): void
  end(): void
}

type State = 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers'

export class RequestParser {
  readonly #onHead: (head: string) => BodyTaker
  #state: State = 'head'
  #pending: Buffer = Buffer.alloc(0)
  #left = 0
  #taker: BodyTaker | undefined

  /** @param onHead - told each head up to its empty line, one character for each byte */
  constructor(onHead: (head: string) => BodyTaker) {
    this.#onHead = onHead
  }

  feed(data: Buffer): void {
    this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data])
    while (this.#step());
  }

  /** @returns whether there may be more to do */
  #step(): boolean {
    if (this.#taker?.upgraded) {
      if (this.#pending.length > 0) this.#taker.data(this.#take(this.#pending.length))
      return false
    }
    switch (this.#state) {
      case 'head': {
        const head = this.#until('\r\n\r\n')
        if (head !== undefined) this.#begin(head)
        return head !== undefined
      }
      case 'length':
      case 'chunk':
        return this.#body()
      case 'chunk-size': {
        const line = this.#until('\r\n')
        if (line === undefined) return false
        this.#left = Number.parseInt(line, 16)
        this.#state = this.#left === 0 ? 'trailers' : 'chunk'
        return true
      }
      case 'chunk-end': {
        const line = this.#until('\r\n')
        if (line !== undefined) this.#state = 'chunk-size'
        return line !== undefined
      }
      case 'trailers': {
        const line = this.#until('\r\n')
        if (line === '') this.#finish()
        return line !== undefined
      }
    }
  }

  #begin(head: string): void {
    this.#taker = this.#onHead(head)
    const length = /^content-length:\s*(\d+)/im.exec(head)?.[1]
    if (/^transfer-encoding:\s*chunked/im.test(head)) this.#state = 'chunk-size'
    else if (length !== undefined && length !== '0') {
      this.#left = Number(length)
      this.#state = 'length'
    } else this.#finish()
  }

  #body(): boolean {
    if (this.#pending.length === 0) return false
    const bytes = this.#take(Math.min(this.#left, this.#pending.length))
    this.#left -= bytes.length
    this.#taker?.data(bytes)
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-end'
      else this.#finish()
    }
    return true
  }

  #finish(): void {
    this.#state = 'head'
    this.#taker?.end()
  }

  #until(mark: string): string | undefined {
    const at = this.#pending.indexOf(mark)
    if (at < 0) return undefined
    const text = this.#take(at).toString('latin1')
    this.#take(mark.length)
    return text
  }

  #take(size: number): Buffer {
    const bytes = this.#pending.subarray(0, size)
    this.#pending = this.#pending.subarray(size)
    return bytes
  }
}
