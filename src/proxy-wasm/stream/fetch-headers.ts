/**
 * Fetch headers ↔ header maps. Fetch gives header lines sorted, joined and as text; the machine has
 * them in order and as bytes. Hop-by-hop headers stay behind on both ways (RFC 9110 §7.6.1), except
 * on an upgrade, where they are the message.
 */
import { byteStringToText, isAscii, textToByteString } from '../memory/byte-string.ts'
import type { ByteString } from '../ports.ts'
import { HeaderMap } from './header-map.ts'

/** Never carried over: they speak of one connection, and `host` is `:authority`. */
const LEFT_BEHIND: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The lengths of those names: one look at a length spares hashing nearly every name there is. */
const LEFT_BEHIND_LENGTHS: readonly boolean[] = lengthsOf(LEFT_BEHIND)

function lengthsOf(names: Iterable<string>): boolean[] {
  const lengths: boolean[] = []
  for (const { length } of names) lengths[length] = true
  return lengths
}

/** @param upgrade - the message changes protocols: only `host` stays behind then */
function staysBehind(name: string, upgrade: boolean): boolean {
  if (LEFT_BEHIND_LENGTHS[name.length] !== true) return false
  return upgrade ? name === 'host' : LEFT_BEHIND.has(name)
}

/** Whether a runtime's Headers hold UTF-8 text (workerd) or one character for each byte (the standard). */
function headersHoldText(): boolean {
  try {
    return new Headers([['x', '\u65e5']]).get('x') === '\u65e5'
  } catch {
    return false
  }
}

let holdText: boolean | undefined

function toBytes(value: string): ByteString {
  if (isAscii(value)) return value
  holdText ??= headersHoldText()
  return holdText ? textToByteString(value) : value
}

function fromBytes(value: ByteString): string {
  if (isAscii(value)) return value
  holdText ??= headersHoldText()
  return holdText ? byteStringToText(value) : value
}

/**
 * A header map that remembers the Headers it was read from: what no plugin has edited is copied by the
 * platform, which costs a fraction of building it anew from strings.
 */
class FetchHeaderMap extends HeaderMap {
  readonly source: Headers
  /** Names of `source` that are not in the map. */
  readonly leftBehind: readonly string[]

  constructor(lines: (ByteString | undefined)[], source: Headers, leftBehind: readonly string[]) {
    super(lines, (name) => toBytes(source.get(name) ?? ''))
    this.source = source
    this.leftBehind = leftBehind
  }

  override clone(): HeaderMap {
    return this.copyTo(new FetchHeaderMap(this.copyLines(), this.source, this.leftBehind))
  }
}

/**
 * @param pseudo - flat pseudo-header lines, which come first
 * @param headers - as Fetch has them
 * @param upgrade - the message changes protocols: keep connection-related headers
 */
export function headerMapFrom(pseudo: ByteString[], headers: Headers, upgrade = false): HeaderMap {
  const lines: (ByteString | undefined)[] = pseudo
  const leftBehind: string[] = []
  let cookies: string[] | undefined
  let seen = 0
  // names alone: a value costs more to read than to ask for, and few are asked for
  for (const name of headers.keys()) {
    if (name === 'set-cookie') {
      cookies ??= headers.getSetCookie()
      lines.push(name, toBytes(cookies[seen++] ?? ''))
    } else if (staysBehind(name, upgrade)) leftBehind.push(name)
    else lines.push(name, undefined)
  }
  const map = new FetchHeaderMap(lines, headers, leftBehind)
  if (upgrade || !leftBehind.includes('connection')) return map
  // an edit: the platform would let these through in a message that is passed on untouched
  for (const name of namedHopByHop(headers.get('connection'))) map.remove(name)
  return map
}

/**
 * A copy without what speaks of one connection, for a message that no plugin sees.
 * @param headers - of a request; what an upgrade needs is kept where it is one
 */
export function withoutConnection(headers: Headers): Headers {
  const copy = new Headers(headers)
  if (copy.has('upgrade')) {
    copy.delete('host')
    return copy
  }
  for (const name of namedHopByHop(copy.get('connection'))) copy.delete(name)
  for (const name of LEFT_BEHIND) copy.delete(name)
  return copy
}

const NONE: readonly string[] = []

/** @returns the headers that a `connection` header says belong to the connection as well */
export function namedHopByHop(connection: string | null | undefined): readonly string[] {
  if (connection == null || /^(?:close|keep-alive)?$/i.test(connection)) return NONE
  return connection.split(',').map((name) => name.trim().toLowerCase())
}

/**
 * What Fetch resolves in a path: dot segments in any spelling, a backslash, which is a slash there, and
 * tabs and line breaks, which it takes out.
 */
const UNRESOLVED = /[\\\t\n\r]|\/(?:\.|%2e){1,2}(?:[/?#]|$)/i

/**
 * `scheme://authority/path` cut without a URL object, which is slow. The path is resolved as Fetch does
 * when the request goes out: nobody may decide about another path than the upstream's.
 */
export function splitUrl(url: string): {
  readonly scheme: string
  readonly authority: string
  readonly path: string
} {
  const schemeEnd = url.indexOf('://')
  const authorityStart = schemeEnd + 3
  let pathStart = authorityStart
  while (pathStart < url.length) {
    const code = url.charCodeAt(pathStart)
    if (code === 0x2f /* / */ || code === 0x3f /* ? */ || code === 0x23 /* # */) break
    pathStart++
  }
  const fragment = url.indexOf('#', pathStart)
  const rest = url.slice(pathStart, fragment < 0 ? url.length : fragment)
  const path = rest.startsWith('/') ? rest : `/${rest}`
  // workerd writes the target of `OPTIONS *` straight behind the host
  const authorityEnd = rest === '' && url[pathStart - 1] === '*' ? pathStart - 1 : pathStart
  return {
    scheme: url.slice(0, schemeEnd),
    authority: url.slice(authorityStart, authorityEnd),
    path: resolvedPath(path),
  }
}

/** A path with its query as Fetch sends it. @param path - starts with a slash */
export function resolvedPath(path: string): string {
  return UNRESOLVED.test(path) ? resolved(path) : path
}

function resolved(path: string): string {
  const { pathname, search } = new URL(`http://host${path}`)
  // a lone `?` is no search to URL, but the upstream would see it
  return pathname + (search === '' && path.endsWith('?') ? '?' : search)
}

/** A request's headers with its pseudo-headers in front, in Envoy's order. */
export function requestHeaderMap(request: Request, upgrade = false): HeaderMap {
  const { scheme, authority, path } = splitUrl(request.url)
  const pseudo = [
    ':authority',
    authority,
    ':path',
    toBytes(path),
    ':method',
    request.method,
    ':scheme',
    scheme,
  ]
  return headerMapFrom(pseudo, request.headers, upgrade)
}

/** A response's headers with `:status` in front. */
export function responseHeaderMap(response: Response): HeaderMap {
  return headerMapFrom(
    [':status', String(response.status)],
    response.headers,
    response.status === 101,
  )
}

/**
 * Lines → what `fetch` and `new Response` take. Pseudo-headers are left out.
 * @param onInvalid - told the name of a line that Fetch refuses; the line is dropped
 */
export function toHeadersInit(headers: HeaderMap, onInvalid: (name: string) => void): HeadersInit {
  const { edits } = headers
  return headers instanceof FetchHeaderMap && edits !== 'all'
    ? editedCopy(headers, edits ?? NO_EDITS, onInvalid)
    : fromLines(headers, onInvalid)
}

const NO_EDITS: readonly string[] = []

/** The platform's own copy with the edits applied to it. */
function editedCopy(
  map: FetchHeaderMap,
  edits: readonly string[],
  onInvalid: (name: string) => void,
): Headers {
  const headers = new Headers(map.source)
  applyEdits(map, edits, headers, onInvalid)
  return headers
}

/**
 * Applies what was edited to a copy that the platform has made of the headers a map was read from.
 * @returns false when the map was not read from Fetch headers or was set as a whole: nothing is done then
 */
export function editInPlace(
  map: HeaderMap,
  copy: Headers,
  onInvalid: (name: string) => void,
): boolean {
  const { edits } = map
  if (!(map instanceof FetchHeaderMap) || edits === 'all') return false
  applyEdits(map, edits ?? NO_EDITS, copy, onInvalid)
  return true
}

function applyEdits(
  map: FetchHeaderMap,
  edits: readonly string[],
  headers: Headers,
  onInvalid: (name: string) => void,
): void {
  for (const name of map.leftBehind) headers.delete(name)
  for (const name of edits) {
    if (name.charCodeAt(0) === 0x3a /* : */) continue
    if (BAD_NAME.test(name) || name === '') {
      if (map.has(name)) onInvalid(name)
      continue
    }
    const values = map.getAll(name)
    if (values.length === 1) setLine(headers, name, values[0] as ByteString, onInvalid)
    else {
      headers.delete(name)
      if (name === 'cookie' && values.length > 1) {
        setLine(headers, name, values.join('; '), onInvalid)
      } else for (const value of values) appendLine(headers, name, value, onInvalid)
    }
  }
}

function setLine(
  headers: Headers,
  name: string,
  value: ByteString,
  onInvalid: (name: string) => void,
): void {
  if (BAD_VALUE.test(value)) {
    headers.delete(name)
    onInvalid(name)
  } else headers.set(name, fromBytes(value))
}

function appendLine(
  headers: Headers,
  name: string,
  value: ByteString,
  onInvalid: (name: string) => void,
): void {
  if (BAD_VALUE.test(value)) onInvalid(name)
  else headers.append(name, fromBytes(value))
}

/**
 * Headers from lines alone: a plain record (a third of the cost of a list of pairs), or Headers where
 * `set-cookie` comes more than once.
 */
function fromLines(headers: HeaderMap, onInvalid: (name: string) => void): HeadersInit {
  // without a prototype: headers may be called `constructor` or `__proto__`
  const record = Object.create(null) as Record<string, string>
  let cookies: string[] | undefined
  const { lines } = headers
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as ByteString
    if (name.charCodeAt(0) === 0x3a /* : */ || name === '') continue
    const value = fromBytes(lines[i + 1] as ByteString)
    const before = record[name]
    if (before === undefined) record[name] = value
    else if (name === 'set-cookie') (cookies ??= []).push(value)
    else record[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  if (!acceptable(record)) return checked(record, cookies, onInvalid)
  if (cookies === undefined) return record
  const init = new Headers(record)
  for (const cookie of cookies) init.append('set-cookie', cookie)
  return init
}

/** What Fetch refuses in a name or value, or would let through wrongly (RFC 9110 §5.1, §5.5). */
const BAD_NAME = /[^!#$%&'*+.^_`|~0-9a-z-]/
const BAD_VALUE = /[\0\r\n]/

function acceptable(record: Readonly<Record<string, string>>): boolean {
  // a platform that reads records into plain objects of its own would lose it
  if ('__proto__' in record) return false
  for (const name in record) {
    if (BAD_NAME.test(name) || BAD_VALUE.test(record[name] as string)) return false
  }
  return true
}

function checked(
  record: Readonly<Record<string, string>>,
  cookies: readonly string[] | undefined,
  onInvalid: (name: string) => void,
): Headers {
  const headers = new Headers()
  const append = (name: string, value: string): void => {
    if (BAD_NAME.test(name) || BAD_VALUE.test(value)) onInvalid(name)
    else headers.append(name, value)
  }
  for (const [name, value] of Object.entries(record)) append(name, value)
  for (const cookie of cookies ?? []) append('set-cookie', cookie)
  return headers
}

/** Content-length as a number of bytes, unless it is no number or the body is encoded. */
export function declaredSize(headers: HeaderMap): number | undefined {
  const declared = headers.get('content-length')
  if (declared === undefined || !/^\d+$/.test(declared)) return undefined
  return Number(declared)
}
