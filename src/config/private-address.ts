/**
 * Whether a URL leads to an address that a gateway should not be talked into reaching: the machine
 * itself, private networks, metadata services of clouds (RFC 6890, RFC 4193, RFC 6598). What a public
 * name resolves to is not known here.
 */

/** Names that resolve to such addresses wherever they are asked for. */
const NAMES = /^(?:(?:.*\.)?localhost|(?:.*\.)?(?:internal|local)|metadata|instance-data)\.?$/

/** First address and length of the prefix. */
const V4_BLOCKS: readonly (readonly [number, number])[] = [
  [0x00000000, 8], // this network
  [0x0a000000, 8], // RFC 1918
  [0x64400000, 10], // carrier-grade NAT; 100.100.100.200 is a metadata service
  [0x7f000000, 8], // loopback
  [0xa9fe0000, 16], // link-local; 169.254.169.254 is a metadata service
  [0xac100000, 12], // RFC 1918
  [0xc0000000, 24], // IETF protocol assignments; 192.0.0.192 is a metadata service
  [0xc0a80000, 16], // RFC 1918
  [0xc6120000, 15], // benchmarks
  [0xe0000000, 3], // multicast, reserved, broadcast
]

/**
 * @param url an absolute URL
 * @returns the private address or name that the URL leads to, or undefined
 */
export function privateAddress(url: string): string | undefined {
  // decimal, hex and octal spellings of IPv4 are dotted behind URL's parser, IPv6 is in its shortest form
  const { hostname } = new URL(url)
  const inside = hostname.startsWith('[')
    ? isPrivateV6(hostname.slice(1, -1))
    : NAMES.test(hostname) || isPrivateV4(parseV4(hostname.replace(/\.$/, '')))
  return inside ? hostname : undefined
}

function parseV4(text: string): number | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text)
  if (parts === null) return undefined
  return parts.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0)
}

function isPrivateV4(address: number | undefined): boolean {
  if (address === undefined) return false
  return V4_BLOCKS.some(([first, bits]) => {
    const size = 2 ** (32 - bits)
    return address >= first && address < first + size
  })
}

function isPrivateV6(text: string): boolean {
  const words = parseV6(text)
  const [first = 0, second = 0, third = 0] = words
  const embedded = (at: number): boolean =>
    isPrivateV4((words[at] ?? 0) * 65_536 + (words[at + 1] ?? 0))
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
