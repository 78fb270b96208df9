/** Bytes of a policy file → text. Anything but UTF-8 is refused: guessing would change what is in it. */

/** Bytes that are no UTF-8, and where the first of them stands; lines and columns from 1. */
export class NotUtf8 extends Error {
  readonly line: number
  readonly column: number

  constructor(message: string, line: number, column: number) {
    super(message)
    this.name = 'NotUtf8'
    this.line = line
    this.column = column
  }
}

const NEWLINE = 0x0a

/**
 * @returns the text, without a byte order mark
 * @throws NotUtf8 with the place of the first byte that does not fit
 */
export function utf8Text(bytes: Uint8Array): string {
  const text = decoded(bytes)
  const nul = text.indexOf('\0')
  if (nul < 0) return text
  const before = text.slice(0, nul).split('\n')
  const message = 'a NUL byte: this is no text, or UTF-16; save it as UTF-8'
  throw new NotUtf8(message, before.length, (before.at(-1)?.length ?? 0) + 1)
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notUtf8(bytes)
  }
}

function notUtf8(bytes: Uint8Array): NotUtf8 {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return new NotUtf8('the file is UTF-16; save it as UTF-8', 1, 1)
  }
  // no character of UTF-8 has this byte inside, so lines can be looked at one by one
  let line = 1
  let begin = 0
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, begin)
    const part = bytes.subarray(begin, newline < 0 ? bytes.length : newline)
    const column = firstUndecodable(part)
    const message = 'a byte that is no UTF-8; save the file as UTF-8'
    if (column > 0 || newline < 0) return new NotUtf8(message, line, Math.max(column, 1))
    begin = newline + 1
    line += 1
  }
}

/** @returns the column of the first character that cannot be decoded; 0 if there is none */
function firstUndecodable(line: Uint8Array): number {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(line)
    return 0
  } catch {
    return new TextDecoder().decode(line).indexOf('\uFFFD') + 1
  }
}
