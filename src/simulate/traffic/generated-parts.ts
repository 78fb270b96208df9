/** Parts of generated requests that do not depend on the policy: shapes that plugins get wrong. */
import { textToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { HeaderList, RecordedAnswer } from './exchange.ts'

const SEGMENTS = [
  '',
  'items',
  'items/42',
  'a/b/c/d/e',
  '%C3%A9t%C3%A9',
  '%E4%B8%AD%E6%96%87',
  'a%20b',
  'a+b',
  'x%2Fy',
  ';v=1',
  '~user',
  '%F0%9F%9B%92',
  'UPPER',
  'index.html',
]

/** What stands behind a prefix, without the slash between. */
export function pathBehind(random: SeededRandom): string {
  return random.chance(0.02) ? 'long/'.repeat(400) : random.pick(SEGMENTS)
}

const QUERIES = ['page=2', 'q=a%20b', 'empty=', 'flag', 'a=1&a=2', 'u=%C3%A9', 'n=0&m=-1']

/** A query without the question mark; mostly none. */
export function someQuery(random: SeededRandom): string {
  return random.chance(0.3) ? random.pick(QUERIES) : ''
}

const USUAL = ['GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']
const UNUSUAL = ['OPTIONS', 'PROPFIND', 'REPORT', 'PURGE', 'QUERY']

export function someMethod(random: SeededRandom): string {
  return random.pick(random.chance(0.05) ? UNUSUAL : USUAL)
}

/** Headers that clients send, and some that are long, many or in other alphabets. */
export function someHeaders(random: SeededRandom): [name: string, value: string][] {
  const headers: [string, string][] = [
    ['user-agent', random.pick(['Mozilla/5.0', 'curl/8.9.1', 'okhttp/4.12.0', ''])],
    ['accept', random.pick(['*/*', 'text/html', 'application/json'])],
  ]
  if (random.chance(0.3)) headers.push(['accept-language', random.pick(['en', 'de-CH', 'zh'])])
  if (random.chance(0.1)) headers.push(['referer', 'https://www.example/?q=%C3%A9'])
  if (random.chance(0.03)) headers.push(['x-long', 'x'.repeat(8_000)])
  // UTF-8, byte for byte
  if (random.chance(0.03)) headers.push(['x-name', '\u00c3\u00a9'])
  if (random.chance(0.03)) {
    for (let at = 0; at < 40; at++) headers.push([`x-many-${at}`, `${at}`])
  }
  if (random.chance(0.05)) headers.push(['x-twice', 'a'], ['x-twice', 'b'])
  return headers
}

interface Body {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const SIZES = [0, 1, 40, 40, 400, 400, 4_000, 20_000, 70_000]

/** What plugins look for in bodies: a card number that is given for tests, an address, a token. */
const FOUND = [
  '4111 1111 1111 1111',
  '5555555555554444',
  'ann@example.com',
  'eyJhbGciOiJub25lIn0.e30.',
]

/**
 * JSON, form, text and bytes of sizes from none to more than a chunk.
 * @param types - content types that a plugin is configured with
 */
export function someBody(random: SeededRandom, types: readonly string[]): Body {
  const body = plainBody(random)
  return types.length > 0 && random.chance(0.2) ? { ...body, type: random.pick(types) } : body
}

function plainBody(random: SeededRandom): Body {
  const size = random.pick(SIZES)
  const found = random.chance(0.3) ? random.pick(FOUND) : ''
  switch (random.below(4)) {
    case 0: {
      const item = { id: random.below(1_000), name: 'été', price: '12.50', note: found }
      const items = Array.from({ length: Math.floor(size / 60) }, () => item)
      return { type: 'application/json', bytes: textToBytes(JSON.stringify({ items })) }
    }
    case 1: {
      const text = `a=1&b=${'b'.repeat(size)}&c=%C3%A9&d=${encodeURIComponent(found)}`
      return { type: 'application/x-www-form-urlencoded', bytes: textToBytes(text) }
    }
    case 2:
      return {
        type: 'text/plain; charset=utf-8',
        bytes: textToBytes(found + ' text é'.repeat(size / 8)),
      }
    default: {
      const bytes = new Uint8Array(size)
      random.fill(bytes)
      return { type: 'application/octet-stream', bytes }
    }
  }
}

const STATUSES = [200, 200, 200, 200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 500, 503]

/** What the upstream answers: mostly 200. */
export function someAnswer(random: SeededRandom, types: readonly string[]): RecordedAnswer {
  const status = random.pick(STATUSES)
  const { type, bytes } = someBody(random, types)
  const isBodiless = status === 204 || status === 304
  const headers: [string, string][] = isBodiless ? [] : [['content-type', type]]
  if (random.chance(0.2)) headers.push(['cache-control', 'max-age=60'], ['vary', 'accept'])
  if (random.chance(0.1)) headers.push(['set-cookie', 'a=1; Path=/'], ['set-cookie', 'b=2; Path=/'])
  if (status === 301) headers.push(['location', '/elsewhere'])
  return { status, headers: headers as HeaderList, body: isBodiless ? new Uint8Array(0) : bytes }
}
