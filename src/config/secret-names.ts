/** Headers and query parameters whose values are shown to nobody. */
const NAMES =
  /^(proxy-)?authorization$|^(set-)?cookie$|^cf-access-jwt|^x-postern-preview$|token|secret|passw|api-?key|session|signature|credential/

/** What stands in place of such a value. */
export const MASK = '***'

/** @param name in lower case */
export function carriesSecret(name: string): boolean {
  return NAMES.test(name)
}
