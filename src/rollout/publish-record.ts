/**
 * How nodes come to know of a record: by the key in KV, and by the replies to their reports. What takes
 * candidates back goes to both at once; what raises somebody is told in replies only when KV has it.
 */
import { beforeKv } from './announcement.ts'
import { rebased } from './rebase.ts'
import { documentOf, type RolloutsDocument, type RolloutsRecord } from './record.ts'

export interface PublishPorts {
  readonly record: {
    /** Durable when it resolves. */
    save(record: RolloutsRecord): Promise<void>
  }
  /** Lets nodes read a document. It may have become visible though this rejects. */
  publish(document: RolloutsDocument): Promise<void>
  /** Has replies to reports carry a document. It may do so though this rejects. */
  announce(document: RolloutsDocument): Promise<void>
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/**
 * Goes on from wherever the one before died: each write may be done again.
 * @param riseLeadMs - how long before it counts a rise is published
 * @returns whether all is done; if not, to be called again with what is kept then
 * @throws when KV could not be written, and nodes were not told of all of it in another way
 */
export async function publishRecord(
  record: RolloutsRecord,
  ports: PublishPorts,
  riseLeadMs: number,
): Promise<boolean> {
  const { record: kept, publish, now } = ports
  if (record.confirmed === record.version) {
    if (record.announced === record.version) return true
    const told = await tell(documentOf(record), ports)
    if (told) await kept.save({ ...record, announced: record.version })
    return told
  }
  let whole = record
  if (record.published?.version !== record.version) {
    whole = rebased(record, now(), riseLeadMs)
    const first = beforeKv(documentOf(whole), whole.inKv)
    // who was told of a part under one version has to take the whole under the next
    if (first?.version === whole.version - 1) whole = { ...whole, version: whole.version + 1 }
    whole = { ...whole, published: documentOf(whole) }
    await kept.save(whole)
  }
  const document = documentOf(whole)
  const first = beforeKv(document, whole.inKv)
  // not awaited: neither has to wait for the other to take somebody back
  const telling = first === undefined ? Promise.resolve(false) : tell(first, ports)
  try {
    await publish(document)
  } catch (error) {
    if ((await telling) && first === document) return false
    throw error
  }
  const told = first === document ? await telling : (await telling, await tell(document, ports))
  const { version } = whole
  const announced = told ? version : whole.announced
  await kept.save({
    ...whole,
    confirmed: version,
    inKv: document,
    ...(announced !== undefined && { announced }),
  })
  return told
}

/** Who cannot be told reads of it in KV, and is told later. */
async function tell(document: RolloutsDocument, { announce }: PublishPorts): Promise<boolean> {
  try {
    await announce(document)
    return true
  } catch {
    return false
  }
}
