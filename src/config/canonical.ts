/**
 * JSON text with sorted keys and no spaces: equal values have equal bytes, whatever order an operator
 * wrote them in.
 * @param value a JSON value; `undefined` members are left out, as JSON.stringify does
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isPlainObject(member) ? sortKeys(member) : member,
  )
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sortKeys(value: Record<string, unknown>): Record<string, unknown> {
  // A null prototype, so that a key `__proto__` is a key like any other.
  const sorted = Object.create(null) as Record<string, unknown>
  // By code unit, not by locale: the same bytes on every machine.
  for (const key of Object.keys(value).sort()) sorted[key] = value[key]
  return sorted
}
