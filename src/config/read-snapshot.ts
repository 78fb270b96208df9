/**
 * Reads one snapshot from the store and proves that it is what its name says: sha256 of the bytes,
 * schema number, shape, references. One of an older schema is brought to the one of today. Says what it
 * found; decides nothing.
 */
import * as v from 'valibot'
import { sha256Hex } from './digest.ts'
import type { ErrorCode } from './error-codes.ts'
import { migrateSnapshot } from './migrate-snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { SNAPSHOT_SCHEMA } from './snapshot.ts'
import { snapshotSchema } from './snapshot-schema.ts'

export type ReadSnapshot =
  | { readonly found: Snapshot }
  | { readonly code: ErrorCode; readonly message: string }

/**
 * @param text the stored value, or null when the store has none (yet)
 * @param name the sha256 it is stored under
 */
export async function readSnapshot(text: string | null, name: string): Promise<ReadSnapshot> {
  const key = `snapshot.${name}`
  if (text === null) {
    return { code: 'config.snapshot_pending', message: `${key} is not in the store yet` }
  }
  const actual = await sha256Hex(text)
  if (actual !== name) {
    const message = `${key} holds ${text.length} characters whose sha256 is ${actual}`
    return { code: 'config.snapshot_hash', message }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { code: 'config.snapshot_invalid', message: `${key} is not JSON` }
  }
  return checkSnapshot(value, key)
}

function checkSnapshot(value: unknown, key: string): ReadSnapshot {
  const schema = schemaOf(value)
  if (schema !== undefined && schema > SNAPSHOT_SCHEMA) {
    const message = `${key} has schema ${schema}, of a newer Postern; this one reads up to ${SNAPSHOT_SCHEMA}`
    return { code: 'config.schema_newer', message }
  }
  const today = schema && migrateSnapshot(value as Record<string, unknown>, schema, SNAPSHOT_SCHEMA)
  if (today === undefined) {
    return { code: 'config.snapshot_invalid', message: `${key}: schema: expected a number from 1` }
  }
  const result = v.safeParse(snapshotSchema, today, { abortEarly: true })
  if (result.success) return { found: result.output }
  const [issue] = result.issues
  const where = v.getDotPath(issue) ?? 'the snapshot'
  return { code: 'config.snapshot_invalid', message: `${key}: ${where}: ${issue.message}` }
}

/** @returns undefined for what is no snapshot of any schema */
function schemaOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('schema' in value)) return undefined
  const { schema } = value
  return Number.isSafeInteger(schema) && (schema as number) > 0 ? (schema as number) : undefined
}
