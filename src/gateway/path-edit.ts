/** New paths, as filters of a rule ask for them. The query stays. */
import type { PathEdit } from '../config/snapshot.ts'

/**
 * @param path with or without query
 * @param prefix what of it the rule's PathPrefix matched; without a slash at its end, or `/`
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httppathmodifier
 */
export function editPath({ type, value }: PathEdit, path: string, prefix: string): string {
  const mark = path.indexOf('?')
  const query = mark < 0 ? '' : path.slice(mark)
  if (type === 'full') return (value === '' ? '/' : value) + query
  const plain = mark < 0 ? path : path.slice(0, mark)
  const covered = prefix === '/' ? '' : prefix
  // a plugin may have led the request elsewhere: then there is nothing to replace
  if (!plain.startsWith(covered)) return path
  const rest = plain.slice(covered.length)
  if (rest !== '' && !rest.startsWith('/')) return path
  if (rest === '') return (value === '' ? '/' : value) + query
  return value.replace(/\/$/, '') + rest + query
}
