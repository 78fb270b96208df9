/** What makes one list of header lines another. */

/** One header that is another one than before. */
export interface HeaderChange {
  readonly name: string
  /** Absent: it was added. */
  readonly before: readonly string[] | undefined
  /** Absent: it was removed. */
  readonly after: readonly string[] | undefined
}

/**
 * Compares two lists of header lines.
 * @param before - flat name, value, …
 * @returns a change for each name whose values differ, or undefined where none do
 */
export function headerChanges(
  before: readonly string[],
  after: readonly string[],
): HeaderChange[] | undefined {
  const old = valuesByName(before)
  const now = valuesByName(after)
  const changes = [...new Set([...old.keys(), ...now.keys()])].flatMap((name): HeaderChange[] => {
    const was = old.get(name)
    const is = now.get(name)
    return was?.join('\0') === is?.join('\0') ? [] : [{ name, before: was, after: is }]
  })
  return changes.length === 0 ? undefined : changes
}

function valuesByName(lines: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string
    values.set(name, [...(values.get(name) ?? []), lines[i + 1] as string])
  }
  return values
}
