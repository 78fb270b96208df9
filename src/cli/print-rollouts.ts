/** Rollouts and what has become of them, for people. */
import { describeMove } from '../config/describe-move.ts'
import { formatTable } from './print.ts'
import { formatFinding } from './print-rollout-views.ts'
import type { RolloutsAnswer } from './rollouts-answer.ts'

/** @param now - milliseconds since the Unix epoch */
export function formatRollouts(
  { rollouts, kills, notStarted }: RolloutsAnswer,
  now: number,
): string {
  const rows = Object.entries(rollouts).map(([name, { phase, step, moves, reason }]) => {
    const last = moves.findLast(({ effectiveAt }) => effectiveAt <= now)
    const weight = last === undefined ? '0 %' : describeMove(last)
    const next = moves.find(({ effectiveAt }) => effectiveAt > now)
    const ahead = next === undefined ? 0 : Math.ceil((next.effectiveAt - now) / 1000)
    const to = next === undefined ? '' : `, ${describeMove(next)} in ${ahead} s`
    return [name, phase, step < 0 ? '-' : `${step + 1}`, weight + to, reason]
  })
  rows.push(
    ...(notStarted ?? []).map((name) => [name, 'applied', '-', '0 %', 'it was not started yet']),
  )
  const heads = ['ROLLOUT', 'PHASE', 'STEP', 'WEIGHT', 'WHY']
  const none = notStarted === undefined ? 'No rollout was ever started' : 'There is no rollout'
  const table = rows.length === 0 ? `${none}.\n` : formatTable([heads, ...rows])
  return table + kills.map((kill) => killLine(kill)).join('')
}

function killLine({ plugin, selector }: RolloutsAnswer['kills'][number]): string {
  const labels = Object.entries(selector ?? {}).map((label) => label.join('='))
  return `The candidate of ${plugin} is off on ${labels.length === 0 ? 'all nodes' : `nodes with ${labels.join(',')}`}.\n`
}

/** Newest last. */
export function formatEvents({ history }: RolloutsAnswer): string {
  if (history.length === 0) return 'Nothing has happened yet.\n'
  const rows = history.map((event) => {
    const { at, rollout, run, phase, reason, finding } = event
    const { stable, candidate } = finding?.requests ?? {}
    const seen =
      finding === undefined ? '' : `${finding.verdict}, ${stable} and ${candidate} requests`
    return [
      new Date(at).toISOString(),
      `${rollout}/${run}`,
      phase,
      describeMove(event),
      reason,
      seen,
    ]
  })
  const [heads = '', ...lines] = formatTable([
    ['AT', 'ROLLOUT', 'PHASE', 'WEIGHT', 'WHY', 'ANALYSIS'],
    ...rows,
  ]).split(/(?<=\n)/)
  // what was compared when it went back is why it did
  const whole = lines.map((line, index) => {
    const { phase, finding } = history[index] ?? {}
    if (finding === undefined || (phase !== 'rolled-back' && phase !== 'paused')) return line
    return line + formatFinding(finding).replaceAll(/^/gm, '    ').replace(/ +$/, '')
  })
  return heads + whole.join('')
}
