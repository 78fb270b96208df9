/**
 * How nodes come to know of a record: by the key in KV, and by the replies to their reports. What takes
 * candidates back goes to both at once; what raises somebody is told in replies only when KV has it.
 */
import { beforeKv } from './announcement.ts'
import { rebased } from './rebase.ts'
import { documentOf, type RolloutsDocument, type RolloutsRecord } from './record.ts'

export interface PublishPorts {
  /**
   * The version of the document that KV has; 0 for none.
   * @throws when it cannot be said
   */
  standing(): Promise<number>
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
  /** A random one, for a controller that has none. */
  name(): string
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
  const { record: kept, publish, now, name } = ports
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
    whole = { ...whole, publisher: whole.publisher ?? name() }
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

/**
 * Whatever stands in KV, what comes next is newer: nodes take nothing that is older than what they know, and a
 * key that somebody wrote by hand, or an object before this one that was lost, would keep a rollback from them.
 * @returns the same, or one that is to be published under a version above
 */
export async function aheadOfKv(
  record: RolloutsRecord,
  { standing }: Pick<PublishPorts, 'standing'>,
): Promise<RolloutsRecord> {
  // whoever goes back does not wait for KV to be read
  const version = await standing().catch(() => 0)
  const isOwn = version === record.published?.version
  if (version === 0 || version < record.version || (isOwn && version === record.version))
    return record
  // what takes somebody back may be told under the version before
  return { ...record, version: version + 2 }
}
