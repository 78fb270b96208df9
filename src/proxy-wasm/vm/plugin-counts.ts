/**
 * What has happened to a plugin in this isolate, over all its vms and versions. Plain numbers: whoever
 * wants metrics reads them when it wants them.
 */
import type { DecisionClass } from '../stream/decision.ts'
import type { FailOpenMinute } from './fail-open-minute.ts'

export interface PluginCounts {
  /** Vms made after one had failed. */
  reloads: number
  /** Vms that were to be made, first ones included, and did not start. */
  failedStarts: number
  /** Streams that came while a back-off lasted. */
  backoffs: number
  traps: number
  /** Local replies it has asked for, log-only ones included. */
  replies: number
  /** Streams it has answered. */
  localReplies: number
  /** Streams refused because it could not run. */
  failedClosed: number
  /** Streams that went on without it because it could not run. */
  failedOpen: number
  /** Log lines beyond `limits.logLinesPerSecond`. */
  droppedLogLines: number
  /** Of those refused, streams that its budget for failing open had no room for. */
  overBudget: number
  /** What it would have done if it were not log-only, by class; a stream counts once for each act. */
  readonly wouldBe: Partial<Record<DecisionClass, number>>
  /** The minute that its budget for failing open is counted in; undefined without a budget. */
  minute: FailOpenMinute | undefined
}

export function pluginCounts(): PluginCounts {
  return {
    reloads: 0,
    failedStarts: 0,
    backoffs: 0,
    traps: 0,
    replies: 0,
    localReplies: 0,
    failedClosed: 0,
    failedOpen: 0,
    droppedLogLines: 0,
    overBudget: 0,
    wouldBe: {},
    minute: undefined,
  }
}
