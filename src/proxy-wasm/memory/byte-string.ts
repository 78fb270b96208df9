/**
 * Byte strings: JavaScript strings whose char codes are bytes. Header names and values live in this
 * form inside the machine, so that no byte is lost or re-encoded and comparing costs no copy.
 */
import type { ByteString } from '../ports.ts'

const NON_ASCII = /[^\0-\x7f]/
const LOOP_MAX = 64
const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder()

/** @returns whether every character is below 0x80, so that bytes and text are the same thing */
export function isAscii(text: string): boolean {
  // a loop is cheaper than the regular expression's call for what headers mostly are
  if (text.length > LOOP_MAX) return !NON_ASCII.test(text)
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Text → its UTF-8 bytes as a byte string. */
export function textToByteString(text: string): ByteString {
  return isAscii(text) ? text : bytesToByteString(utf8Encoder.encode(text))
}

/** A byte string of UTF-8 → text; bytes that are no UTF-8 become U+FFFD. */
export function byteStringToText(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : utf8Decoder.decode(byteStringToBytes(bytes))
}

/** Bytes → byte string. Short runs by a loop: a `TextDecoder` call costs more than forty characters. */
export function bytesToByteString(bytes: Uint8Array): ByteString {
  const length = bytes.length
  if (length <= LOOP_MAX) return shortByteString(bytes)
  let text = ''
  // apply() takes its arguments from the stack: 8 Ki at a time is safe everywhere
  for (let at = 0; at < length; at += 8192) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192) as unknown as number[])
  }
  return text
}

/** Eight characters at a time: joining them one by one costs twice as much. */
function shortByteString(bytes: Uint8Array): ByteString {
  const length = bytes.length
  let text = ''
  let i = 0
  for (; i + 8 <= length; i += 8) {
    text += String.fromCharCode(
      bytes[i] as number,
      bytes[i + 1] as number,
      bytes[i + 2] as number,
      bytes[i + 3] as number,
      bytes[i + 4] as number,
      bytes[i + 5] as number,
      bytes[i + 6] as number,
      bytes[i + 7] as number,
    )
  }
  for (; i < length; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}

/** Byte string → bytes in a buffer of its own. */
export function byteStringToBytes(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** UTF-8 bytes → text. */
export function bytesToText(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes)
}

/** Text → UTF-8 bytes. */
export function textToBytes(text: string): Uint8Array<ArrayBuffer> {
  return utf8Encoder.encode(text) as Uint8Array<ArrayBuffer>
}
