/** The policy object's storage on local disk, changed while nothing runs: time that has passed, for one. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { deserialize, serialize } from 'node:v8'
import type { Accepted } from '../../src/config/signing/accepted-pointers.ts'

/**
 * Makes what was accepted so much older.
 * @param folder - of a workerd that has stopped
 * @returns the revisions that were accepted
 */
export function ageAccepted(folder: string, ms: number): number[] {
  const objects = join(folder, 'do/policy')
  const file = readdirSync(objects).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
  if (file === undefined) throw new Error('the policy object has stored nothing')
  const database = new DatabaseSync(join(objects, file))
  try {
    const row = database.prepare("SELECT value FROM _cf_KV WHERE key = 'accepted'").get()
    const accepted = deserialize(Buffer.from(row?.['value'] as Uint8Array)) as Accepted[]
    const aged = accepted.map((one) => ({ ...one, at: one.at - ms }))
    database.prepare("UPDATE _cf_KV SET value = ? WHERE key = 'accepted'").run(serialize(aged))
    return accepted.map(({ revision }) => revision)
  } finally {
    database.close()
  }
}
