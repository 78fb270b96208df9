/** Records in memory, copied as a real store would, for tests. */
import type { RecordStorage } from '../report-store.ts'

export interface MemoryRecords extends RecordStorage {
  readonly values: Map<string, string>
  /** How many writes there were. */
  writes: number
}

export function memoryRecords(): MemoryRecords {
  const values = new Map<string, string>()
  const records: MemoryRecords = {
    values,
    writes: 0,
    list: (prefix) =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, text]): [string, unknown] => [key, JSON.parse(text)]),
    put(key, value) {
      records.writes += 1
      values.set(key, JSON.stringify(value))
    },
    delete: (key) => void values.delete(key),
  }
  return records
}
