/**
 * What has happened to a plugin in this isolate, over all its vms and versions. Plain numbers: whoever
 * wants metrics reads them when it wants them.
 */
export interface PluginCounts {
  /** Vms made after one had failed. */
  reloads: number
  /** Vms that were to be made, first ones included, and did not start. */
  failedStarts: number
  /** Streams that came while a back-off lasted. */
  backoffs: number
  traps: number
  /** Streams it has answered. */
  localReplies: number
  /** Streams refused because it could not run. */
  failedClosed: number
  /** Streams that went on without it because it could not run. */
  failedOpen: number
  /** Log lines beyond `limits.logLinesPerSecond`. */
  droppedLogLines: number
}

export function pluginCounts(): PluginCounts {
  return {
    reloads: 0,
    failedStarts: 0,
    backoffs: 0,
    traps: 0,
    localReplies: 0,
    failedClosed: 0,
    failedOpen: 0,
    droppedLogLines: 0,
  }
}
