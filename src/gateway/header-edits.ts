/** What rules and backends change of headers. */
import type { HeaderEdits } from '../config/snapshot.ts'

/** Changes the headers given. */
export function editHeaders(headers: Headers, { set, add, remove }: HeaderEdits): void {
  for (const [name, value] of set ?? []) headers.set(name, value)
  for (const [name, value] of add ?? []) {
    // one line, and not a list as others are (RFC 6265 §5.4); workerd's append would put a comma
    const before = name === 'cookie' ? headers.get(name) : null
    if (before === null) headers.append(name, value)
    else headers.set(name, `${before}; ${value}`)
  }
  for (const name of remove ?? []) headers.delete(name)
}

/** @param lines flat, names in lower case @returns the lines with the edits applied */
export function editLines(lines: readonly string[], edits: HeaderEdits): string[] {
  const gone = new Set([...(edits.set ?? []).map(([name]) => name), ...(edits.remove ?? [])])
  const edited: string[] = []
  for (let i = 0; i + 1 < lines.length; i += 2) {
    if (!gone.has(lines[i] as string)) edited.push(lines[i] as string, lines[i + 1] as string)
  }
  for (const line of [...(edits.set ?? []), ...(edits.add ?? [])]) edited.push(...line)
  return edited
}
