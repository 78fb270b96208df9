/**
 * Reads one snapshot from the store and proves that it is what its name says: sha256 of the bytes,
 * schema number, shape, references. Says what it found; decides nothing.
 */
import * as v from 'valibot'
import { sha256Hex } from './digest.ts'
import type { ErrorCode } from './error-codes.ts'
import type { Snapshot } from './snapshot.ts'
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
  const schema = schemaOf(value)
  if (schema !== 1) {
    const message = `${key} has schema ${JSON.stringify(schema)}; this Postern reads schema 1`
    return { code: 'config.snapshot_schema', message }
  }
  const result = v.safeParse(snapshotSchema, value, { abortEarly: true })
  if (result.success) return { found: result.output }
  const [issue] = result.issues
  const where = v.getDotPath(issue) ?? 'the snapshot'
  return { code: 'config.snapshot_invalid', message: `${key}: ${where}: ${issue.message}` }
}

function schemaOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return 'schema' in value ? value.schema : undefined
}
