/** Whether a node has every label that a selector asks for; without one, every node has. */
export function hasLabels(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return true
  return Object.entries(selector).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  )
}
