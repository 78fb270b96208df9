/**
 * Which of a route's hosts a listener takes, by Gateway API's rules. A wildcard stands for one label or
 * more in front, never for none.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec (hostnames)
 */

/**
 * @param route the route's hosts; empty: every host
 * @param listener the listener's; undefined: every host
 * @returns the hosts of both, empty for every host; undefined when there are none
 */
export function commonHostnames(
  route: readonly string[],
  listener: string | undefined,
): readonly string[] | undefined {
  if (listener === undefined) return route
  if (route.length === 0) return [listener]
  const found = new Set<string>()
  for (const name of route) {
    if (covers(listener, name)) found.add(name)
    else if (covers(name, listener)) found.add(listener)
  }
  return found.size === 0 ? undefined : [...found]
}

/** Whether every host of `narrow` is one of `wide`. */
export function covers(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.startsWith('*.') && narrow.endsWith(wide.slice(1)))
}
