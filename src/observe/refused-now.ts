/** Which of an isolate's refusals still hold: they stay in its list when their cause is gone. */
import type { IsolateFacts, ReportedRefusal } from './report.ts'

/** KV shows an old pointer for a while after each change; what runs is newer, so nothing is amiss. */
const HARMLESS: ReadonlySet<string> = new Set(['config.revision_older'])

/** @param facts - what the isolate says of itself */
export function refusedNow(facts: IsolateFacts): readonly ReportedRefusal[] {
  const { revision, checkedAt, plugins, refusals } = facts
  const down = plugins && new Set(plugins.map(({ plugin }) => plugin))
  return refusals.filter((refusal) => {
    if (HARMLESS.has(refusal.code)) return false
    // of a newer revision than the one that runs: it waits for one that is better
    if (refusal.revision > revision) return true
    // of the revision that runs: a plugin, which may have come up after all
    if (refusal.revision === revision && revision > 0) {
      return refusal.plugin === undefined || down === undefined || down.has(refusal.plugin)
    }
    // of the store itself: until it was read without fault
    if (refusal.revision > 0) return false
    return checkedAt == null || refusal.at >= checkedAt
  })
}
