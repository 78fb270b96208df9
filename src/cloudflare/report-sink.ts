/** The way to the report object: where isolates report, and where the policy object says what is active. */
import { parseActivePointer } from '../config/active-pointer.ts'
import type { PolicyStore } from '../config/apply/policy-writer.ts'
import type { ActiveRevision, ReportSink } from '../observe/index.ts'
import type { ReportObject } from './report-object.ts'

type Reports = DurableObjectNamespace<ReportObject>

/** A stub belongs to the request that made it, so each call makes its own. */
export function reportSink(reports: Reports): ReportSink {
  return {
    send: (report) => reports.getByName('reports').send(report),
    view: (node) => reports.getByName('reports').view(node),
  }
}

/** A store that says what is active as soon as it is written: isolates hear of it with their next report. */
export function announcingStore(
  store: PolicyStore,
  announce: (active: ActiveRevision) => Promise<unknown>,
): PolicyStore {
  return {
    ...store,
    async put(key, text) {
      await store.put(key, text)
      const parsed = key === 'active' ? parseActivePointer(text) : undefined
      if (parsed === undefined || !('pointer' in parsed)) return
      const { revision, snapshot, issuedAt } = parsed.pointer
      // whoever cannot be told finds it in the store
      announce({ revision, snapshot, issuedAt }).catch(() => undefined)
    },
  }
}
