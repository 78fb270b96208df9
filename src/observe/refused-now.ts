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
    // of the revision that runs: a plugin, which may have come up after all
    if (refusal.revision === revision && revision > 0) {
      return refusal.plugin === undefined || down === undefined || down.has(refusal.plugin)
    }
    if (refusal.revision > 0 && refusal.revision < revision) return false
    // of the store itself, or of a revision above the one that runs: until the store was read without
    // fault, and named what runs
    return checkedAt == null || refusal.at >= checkedAt
  })
}
