/** A name with a dot in it is read as `<namespace>.<name>`: whoever left the namespace out is told so. */
import { DEFAULT_NAMESPACE } from './resources/metadata.ts'

/**
 * @param id - as it was asked for
 * @param known - those that there are
 * @returns the end of a message; empty where nothing was left out
 */
export function namespaceHint(id: string, known: readonly string[]): string {
  const whole = `${DEFAULT_NAMESPACE}.${id}`
  return known.includes(whole) ? `; a name with a dot needs its namespace: ${whole}` : ''
}
