/**
 * Series of rollouts have the run among their labels, and a rollout may be started every day. What a run
 * before the one under way counted says nothing any more, and would fill registries and reports for good.
 */

/** The run of each rollout that is known, by `<namespace>.<name>`. */
export type Runs = Readonly<Record<string, { readonly run: number }>>

const OWN = /(?:^|,)rollout="([^"]+)",run="(\d+)"/

/**
 * @param labels - of a series, as text
 * @param runs - a rollout that is not among them has been forgotten
 * @returns whether nobody counts in the series any more; false for one that is of no run
 */
export function isOfPastRun(labels: string, runs: Runs): boolean {
  const [, rollout = '', run] = OWN.exec(labels) ?? []
  return run !== undefined && Number(run) < (runs[rollout]?.run ?? Infinity)
}
