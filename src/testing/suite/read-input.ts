/** The input of a phase: headers from fields, text or a file; a body from text or a file. */
import { type Direction, HeaderMap } from '../../proxy-wasm/index.ts'
import { byteStringToBytes, bytesToByteString } from '../../proxy-wasm/memory/byte-string.ts'
import type { Message } from '../format/fields.ts'
import { parseHttp1 } from './http1-text.ts'
import { type ReadFile, TestFileError } from './test-files.ts'

type Input = Message<'Input'> | undefined

/** @throws TestFileError for a file that cannot be read and text that is no HTTP/1 */
export async function readHeaders(
  input: Input,
  direction: Direction,
  readFile: ReadFile,
): Promise<HeaderMap> {
  const { header = [], content, file } = input ?? {}
  const text = file === undefined ? content : bytesToByteString(await readFile(file))
  if (text === undefined) {
    return new HeaderMap(header.flatMap(({ key, value = '' }) => [key.toLowerCase(), value]))
  }
  const parsed = parseHttp1(text, direction)
  if (typeof parsed !== 'string') return parsed
  throw new TestFileError(file === undefined ? parsed : `${file}: ${parsed}`)
}

/** @throws TestFileError for a file that cannot be read */
export async function readBody(input: Input, readFile: ReadFile): Promise<Uint8Array<ArrayBuffer>> {
  const { content = '', file } = input ?? {}
  return file === undefined ? byteStringToBytes(content) : readFile(file)
}
