/** What runs of a rollout, for people who look on: its steps, what is compared, and what it waits for. */
import { count, formatTable } from './print.ts'
import type { FindingAnswer, RolloutsAnswer, RolloutViewAnswer } from './rollouts-answer.ts'

type State = RolloutsAnswer['rollouts'][string]

/** A block for each rollout that is in the active revision, an empty line before it. */
export function formatViews({ rollouts, views = {}, now = 0, unseen }: RolloutsAnswer): string {
  const blocks = Object.entries(rollouts).flatMap(([name, state]) => {
    const view = views[name]
    return view === undefined ? [] : `\n${block(name, state, view, now)}`
  })
  const missing = unseen === undefined ? '' : `\nNot all can be said now: ${unseen}\n`
  return blocks.join('') + missing
}

function block(name: string, state: State, view: RolloutViewAnswer, now: number): string {
  const { plugin, selector, finding, outlook, hasBlackout } = view
  const nodes = labels(selector)
  const where = nodes === '' ? '' : ` on nodes with ${nodes}`
  const until = outlook.until === undefined ? '' : `, until ${time(outlook.until)}`
  return [
    `${name} run ${state.run}, of plugin ${plugin}${where}\n`,
    formatTable([['', 'STEP', 'MODE', 'WEIGHT', 'NODES', ''], ...stepRows(state, view, now)]),
    finding === undefined ? '' : formatFinding(finding),
    outlook.waitsFor === '' ? '' : `Waits for ${outlook.waitsFor}${until}.\n`,
    hasBlackout ? 'Nodes within a window of blackout keep the weight they have.\n' : '',
  ].join('')
}

function stepRows(
  { phase, step: at, moves }: State,
  { steps }: RolloutViewAnswer,
  now: number,
): string[][] {
  const isOver = phase === 'rolled-back'
  return steps.map(({ weight, mode, selector }, index) => {
    const next = index === at ? moves.find(({ effectiveAt }) => effectiveAt > now) : undefined
    const is = isOver || index > at ? '' : index < at || phase !== 'running' ? 'done' : 'now'
    const what = next === undefined ? is : `takes effect ${time(next.effectiveAt)}`
    const mark = !isOver && index === at ? '>' : ''
    return [mark, `${index + 1}`, mode, `${weight} %`, labels(selector) || 'all', what]
  })
}

/** What was compared, each metric in a line: both sides, how much more the candidate has, and what it may have. */
export function formatFinding({ verdict, requests, metrics }: FindingAnswer): string {
  const rows = metrics.map((one) => {
    const unit = unitOf(one.name)
    const more = (value: number | null, unknown: string): string =>
      value === null ? unknown : `${value > 0 ? '+' : ''}${inUnit(value, unit)}`
    return [
      one.metric ?? one.name,
      one.stable === null ? '-' : inUnit(one.stable, unit),
      one.candidate === null ? '-' : inUnit(one.candidate, unit),
      `${more(one.least, '?')} to ${more(one.most, '?')}`,
      `+${inUnit(one.maxIncrease, unit)}`,
      one.reason === undefined ? one.verdict : `${one.verdict}: ${one.reason}`,
    ]
  })
  const heads = ['METRIC', 'STABLE', 'CANDIDATE', 'MORE', 'MAY BE', 'VERDICT']
  const seen = `${count(requests.stable, 'request')} and ${requests.candidate} of the candidate: ${verdict}.\n`
  return formatTable([heads, ...rows]) + seen
}

type Unit = 'share' | 'ms' | 'number'

const SHARES: ReadonlySet<string> = new Set(['server-errors', 'traps', 'denials'])

function unitOf(metric: string): Unit {
  if (SHARES.has(metric)) return 'share'
  return metric === 'wall-time' ? 'ms' : 'number'
}

/** A share of 1 in per cent; three digits that count. */
function inUnit(value: number, unit: Unit): string {
  const number = Number((unit === 'share' ? value * 100 : value).toPrecision(3))
  return `${number}${unit === 'share' ? ' %' : unit === 'ms' ? ' ms' : ''}`
}

function labels(selector: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(selector ?? {})
    .map((label) => label.join('='))
    .join(',')
}

/** In UTC, as everywhere. */
function time(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
