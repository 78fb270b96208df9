/** What the load is made of: requests as an edge sees them, answers as a shop's backend gives them. */

const SESSION = '0b7c2f64a1d94e0c'

/** The request's headers; two of them are there for plugins to remove. */
export const REQUEST_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['host', 'shop.example'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'],
  ['accept', 'application/json, text/plain, */*'],
  ['accept-language', 'en-GB,en;q=0.7,de;q=0.3'],
  ['accept-encoding', 'gzip, deflate, br'],
  ['referer', 'https://shop.example/catalogue/shoes'],
  ['cookie', `session=${SESSION}; basket=3; locale=en-GB`],
  // Cloudflare sets it on every request, so that nobody has to read `request.cf` for it
  ['cf-connecting-ip', '203.0.113.7'],
  ['x-request-id', '8f14e45f-ceea-467f-a0e6-1c7e3e0d2b11'],
  ['cache-control', 'no-cache'],
  ['x-internal-debug', '1'],
  ['x-debug-trace', 'off'],
]

/** The upstream's headers beside content-type and content-length. */
export const RESPONSE_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['server', 'shop-backend/4.2'],
  ['cache-control', 'private, max-age=30'],
  ['etag', '"5d8c72a5edda8d6a"'],
  ['vary', 'accept-encoding'],
  ['x-powered-by', 'Express'],
  ['x-upstream-node', 'shop-7f9c'],
]

export const SMALL_PATH = '/catalogue/items?page=2&sort=price'
/** Answers with 1 MiB of JSON. */
export const LARGE_PATH = '/export/all'
/** Answers with the request's head as it arrived. */
export const HEAD_PATH = '/head'

export const SMALL_BODY: string = JSON.stringify({
  page: 2,
  items: [
    { id: 4711, name: 'Trail shoe', price: 129.9, stock: 12 },
    { id: 4712, name: 'Road shoe', price: 149.5, stock: 3 },
    { id: 4713, name: 'Walking shoe', price: 99, stock: 41 },
  ],
  next: '/catalogue/items?page=3',
})

const LARGE_BYTES = 1024 * 1024

/** JSON lines of a product export, cut at exactly 1 MiB. */
export function largeBody(): string {
  let text = ''
  for (let id = 1; text.length < LARGE_BYTES; id++) {
    text += `${JSON.stringify({ id, name: 'Trail shoe, waterproof, black', price: 129.9, stock: id % 50 })}\n`
  }
  return text.slice(0, LARGE_BYTES)
}

/** How many sessions the load is of: a rollout gives each of them its side. */
export const SESSIONS = 256

/** A header's value as it is in another session: of the same length. */
export function withSession(value: string, session: number): string {
  return value.replace(SESSION, session.toString(16).padStart(SESSION.length, SESSION))
}

/** The head of a GET, ready to be written to a socket. */
export function requestHead(path: string, session = 0): string {
  const lines = REQUEST_HEADERS.map(
    ([name, value]) => `${name}: ${withSession(value, session)}\r\n`,
  )
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
