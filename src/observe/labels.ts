/** Names and labels in the form that Prometheus' text format takes. */

export type Labels = Readonly<Record<string, string>>

/**
 * Labels as they stand between the braces: sorted by name, values escaped. The same labels are the same
 * text, so it also serves as a key.
 */
export function labelText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${labelName(name)}="${escapeValue(labels[name] ?? '')}"`)
    .join(',')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** A metric's name as Envoy prints it: whatever is no letter, digit or `_` becomes `_`. */
export function metricName(name: string): string {
  const clean = name.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  // Envoy leaves out what would begin with a digit; here it is kept under a name that is allowed
  return /^[a-zA-Z_]/.test(clean) ? clean : `_${clean}`
}

/** A label's name; `__` in front is Prometheus' own. */
export function labelName(name: string): string {
  return metricName(name).replace(/^__+/, '_')
}
