/**
 * Whether a URL leads to an address that a gateway should not be talked into reaching: the machine
 * itself, private networks, metadata services of clouds (RFC 6890, RFC 4193, RFC 6598). What a public
 * name resolves to is not known here.
 */

/** Names that resolve to such addresses wherever they are asked for. */
const NAMES =
  /^(?:(?:.*\.)?localhost|(?:.*\.)?(?:internal|intranet|lan|local|localdomain|svc|home\.arpa)|metadata|instance-data)\.?$/

/**
 * Dotted: this network, RFC 1918, carrier-grade NAT (100.100.100.200 is a metadata service), loopback,
 * link-local (169.254.169.254 is another), protocol assignments (192.0.0.192 as well), benchmarks,
 * multicast and all above.
 */
const V4 =
  /^(?:0|10|127|22[4-9]|2[345]\d|169\.254|192\.168|192\.0\.0|198\.1[89]|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[789]\d|1[01]\d|12[0-7]))\.(?:\d+\.?){1,3}$/

/**
 * @param url an absolute URL
 * @returns the private address or name that the URL leads to, or undefined
 */
export function privateAddress(url: string): string | undefined {
  // decimal, hex and octal spellings of IPv4 are dotted behind URL's parser, IPv6 is in its shortest form
  const { hostname } = new URL(url)
  const inside = hostname.startsWith('[')
    ? isPrivateV6(hostname.slice(1, -1))
    : NAMES.test(hostname) || V4.test(hostname)
  return inside ? hostname : undefined
}

function isPrivateV6(text: string): boolean {
  const words = parseV6(text)
  const [first = 0, second = 0, third = 0] = words
  const embedded = (at: number): boolean =>
    V4.test(
      words
        .slice(at, at + 2)
        .map((word) => `${word >> 8}.${word & 255}`)
        .join('.'),
    )
  const zeros = (from: number, to: number): boolean =>
    words.slice(from, to).every((word) => word === 0)
  // ::, ::1, IPv4-compatible, IPv4-mapped, IPv4-translated
  if (zeros(0, 4)) {
    if (words[4] === 0 && words[5] === 0 && words[6] === 0) return true
    if (words[4] === 0xffff || words[5] === 0xffff || words[5] === 0) return embedded(6)
  }
  if (first === 0x64 && second === 0xff9b) return third !== 0 || embedded(6) // NAT64, local and global
  if (first === 0x2002) return embedded(1) // 6to4
  return (
    (first & 0xfe00) === 0xfc00 || // unique local; fd00:ec2::254 is a metadata service
    (first & 0xffc0) === 0xfe80 || // link-local
    (first & 0xffc0) === 0xfec0 || // site-local
    (first & 0xff00) === 0xff00 // multicast
  )
}

/** @param text as URL's parser writes it: no embedded dots, one `::` at most */
function parseV6(text: string): number[] {
  const [head = '', tail] = text.split('::')
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const front = words(head)
  const back = words(tail ?? '')
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
}
