/** Where isolates report: the report object, or the one of another gateway; and where it is said what is active. */
import { parseActivePointer } from '../config/active-pointer.ts'
import type { PolicyStore } from '../config/apply/policy-writer.ts'
import { type ActiveRevision, hubSink, type ReportSink } from '../observe/index.ts'
import type { Env } from './env.ts'
import type { ReportObject } from './report-object.ts'

type Reports = DurableObjectNamespace<ReportObject>

/** Whether another gateway takes reports in and leads rollouts. */
export function hasHub({ HUB_URL = '' }: Env): boolean {
  return HUB_URL !== ''
}

/** Where this node reports; undefined where nowhere. */
export function reportSinkOf(env: Env): ReportSink | undefined {
  if (!hasHub(env)) return env.REPORTS && reportSink(env.REPORTS)
  const { HUB_URL: url = '', HUB_TOKEN: token = '' } = env
  const log = (line: string): void => console.warn(`reports: ${line}`)
  try {
    return hubSink({ url, token, log, fetch: (address, init) => fetch(address, init) })
  } catch (error) {
    const why = (error as Error).message
    console.error(`${why}; nothing is reported`)
    return { hub: `(${why})`, send: () => Promise.reject(new Error(why)) }
  }
}

/** A stub belongs to the request that made it, so each call makes its own. */
function reportSink(reports: Reports): ReportSink {
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
