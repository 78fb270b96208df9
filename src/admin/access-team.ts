/** Where a team of Cloudflare Access is. */

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

/**
 * The issuer in a team's tokens, which is also where its keys are.
 * @param team - its name, or the address it has at Cloudflare
 * @throws for what is neither
 */
export function issuerOf(team: string): string {
  const address = team.replace(/\/+$/, '')
  if (LOOPBACK.test(address)) return address
  const host = address.replace(/^https:\/\//, '').toLowerCase()
  if (/^[a-z0-9-]+$/.test(host)) return `https://${host}.cloudflareaccess.com`
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) return `https://${host}`
  throw new Error('expected the name of a team, or <team>.cloudflareaccess.com')
}
