/**
 * HTTP/1 text → headers as a plugin sees them: `GET /path HTTP/1.1` and `HTTP/1.1 200 OK` become
 * pseudo-headers, names are lower-cased, `host` is `:authority`.
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
import { HeaderMap } from '../../proxy-wasm/index.ts'
import type { Direction } from '../../proxy-wasm/index.ts'

const REQUEST_LINE = /^(\S+) (\S+) HTTP\/\d(?:\.\d)?$/
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})(?: .*)?$/
const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i

/**
 * @param text - a byte string; lines end in CRLF or LF, the empty line at the end may be missing
 * @returns the headers, or what is wrong
 */
export function parseHttp1(text: string, direction: Direction): HeaderMap | string {
  const [head = '', ...rest] = text.split(/\r?\n\r?\n/)
  if (rest.join('') !== '') return 'there is a body behind the headers; it belongs into body input'
  const [first = '', ...lines] = head.split(/\r?\n/)
  const pseudo = direction === 'request' ? requestLine(first) : statusLine(first)
  if (typeof pseudo === 'string') return pseudo
  const fields: string[] = []
  for (const line of lines) {
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon <= 0) return `${JSON.stringify(line)} is no header line`
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (direction === 'request' && name === 'host') pseudo[':authority'] ??= value
    else fields.push(name, value)
  }
  return new HeaderMap([...Object.entries(pseudo).flat(), ...fields])
}

function requestLine(line: string): Record<string, string> | string {
  const [, method, target] = REQUEST_LINE.exec(line) ?? []
  if (method === undefined || target === undefined) {
    return `${JSON.stringify(line)} is no request line such as GET /path HTTP/1.1`
  }
  const [, scheme, authority, path] = ABSOLUTE.exec(target) ?? []
  // a request in origin form says nothing of its scheme: it is the connection's, here a plain one
  if (scheme === undefined) return { ':method': method, ':path': target, ':scheme': 'http' }
  return {
    ':method': method,
    ':path': path === '' || path === undefined ? '/' : path,
    ':scheme': scheme.toLowerCase(),
    ':authority': authority ?? '',
  }
}

function statusLine(line: string): Record<string, string> | string {
  const status = STATUS_LINE.exec(line)?.[1]
  if (status !== undefined) return { ':status': status }
  return `${JSON.stringify(line)} is no status line such as HTTP/1.1 200 OK`
}
