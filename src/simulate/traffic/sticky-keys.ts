/** Sticky keys of generated requests: many different ones, some that come again, and some requests without. */
import type { SnapshotRolloutKey } from '../../config/snapshot-rollout.ts'
import type { SeededRandom } from '../seeded-random.ts'

const WITHOUT = 0.1

/** Puts a key where a rollout looks for it. */
export function withKey(
  from: SnapshotRolloutKey,
  draft: { readonly query: string[]; readonly headers: [name: string, value: string][] },
  random: SeededRandom,
): void {
  const number = random.below(100_000)
  if (random.chance(WITHOUT)) return
  const key = `client-${number}`
  const put = (name: string, value: string): void => {
    // a condition may ask for this very header
    if (draft.headers.every(([other]) => other !== name)) draft.headers.push([name, value])
  }
  switch (from.type) {
    case 'header':
      return put(from.name.toLowerCase(), key)
    case 'query':
      return void draft.query.push(`${encodeURIComponent(from.name)}=${key}`)
    case 'clientIp':
      return put('cf-connecting-ip', `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`)
    case 'jwtClaim':
      return put('authorization', `Bearer ${token(from.name, key)}`)
    default:
      return put('cookie', `theme=dark; ${from.name}=${key}`)
  }
}

/** Signed by nobody: a plugin that checks tokens refuses it, in both versions. */
function token(claim: string, key: string): string {
  const encoded = (value: object): string =>
    btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return `${encoded({ alg: 'none' })}.${encoded(claimOf(claim, key))}.c2ln`
}

/** `a.b` is a member within another, unless it is an address. */
function claimOf(name: string, value: string): object {
  if (name.includes('/')) return { [name]: value }
  return name.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object
}
