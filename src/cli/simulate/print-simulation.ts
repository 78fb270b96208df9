/** What a simulation came to, as a person reads it. */
import type { SimulationReport, SideReport } from '../../simulate/tally.ts'
import type { HeaderChange } from '../../proxy-wasm/stream/header-changes.ts'
import { count, formatTable } from '../print.ts'

type Sample = SimulationReport['samples'][number]

const OUTSIDE = {
  'no-route': 'no route takes them',
  'no-plugin': 'their routes do not have the plugin',
  audience: "not in the rollout's audience",
} as const

export function formatSimulation(report: SimulationReport): string {
  const { compared, different, samples } = report
  const parts = [heading(report)]
  if (different === 0) parts.push(`No difference in ${requests(compared)}.\n`)
  else parts.push(differences(report))
  const { failedAlike: alike } = report
  if (alike.requests > 0) {
    const [place, ...why] = alike.first
    const lines = why.map((line) => `    ${line.replaceAll('\n', ' ')}\n`)
    const many = requests(alike.requests)
    parts.push(
      `${many} failed with both, which says nothing of either; first ${place}:\n${lines.join('')}`,
    )
  }
  parts.push(sides(report), steps(report))
  if (samples.length > 0) {
    const which =
      samples.length < different ? `The first ${samples.length} of ${different}` : 'Those'
    parts.push(`${which} that differ:\n\n${samples.map(sample).join('\n')}`)
  }
  return parts.join('\n')
}

const requests = (number: number): string => count(number, 'request')

function heading(report: SimulationReport): string {
  const { rollout, plugin, requests: all, compared, outside, unplayable } = report
  const others = Object.entries(outside).flatMap(([why, number]) =>
    number === 0 ? [] : [`  ${number}: ${OUTSIDE[why as keyof typeof OUTSIDE]}\n`],
  )
  const refused = Object.entries(unplayable).map(
    ([why, number]) => `  ${number}: cannot be sent (${why})\n`,
  )
  const head = `${rollout}, another version of ${plugin}: ${requests(all)}, ${compared} of them through both versions.\n`
  return [head, ...others, ...refused].join('')
}

function differences({ differences: counts, compared, different, lost }: SimulationReport): string {
  const rows = Object.entries(counts).flatMap(([name, number]) =>
    number === 0 ? [] : [[name, `${number}`, share(number, compared)]],
  )
  const equal = compared - different
  const table = formatTable([
    ['difference', 'requests', 'share'],
    ...rows,
    ['none', `${equal}`, share(equal, compared)],
  ])
  const gone = lost.map(
    ({ place, side }) =>
      `held: ${place} did not come back from the ${version(side)}; it was ended.\n`,
  )
  return [table, ...gone].join('')
}

function version(side: 'stable' | 'candidate'): string {
  return side === 'stable' ? 'stable version' : 'candidate'
}

function share(number: number, of: number): string {
  const percent = (number * 100) / Math.max(of, 1)
  return `${percent < 1 && percent > 0 ? percent.toPrecision(1) : percent.toFixed(1)} %`
}

function sides({ stable, candidate }: SimulationReport): string {
  const row = (name: string, of: (side: SideReport) => string | number): string[] => [
    name,
    `${of(stable)}`,
    `${of(candidate)}`,
  ]
  const rowsOf = (
    name: string,
    of: (side: SideReport) => Readonly<Record<string, number>>,
  ): string[][] =>
    [...new Set([...Object.keys(of(stable)), ...Object.keys(of(candidate))])]
      .sort()
      .map((key) => row(`${name} ${key}`, (side) => of(side)[key] ?? 0))
  const table = formatTable([
    ['', 'stable', 'candidate'],
    row('traps', ({ traps }) => traps),
    ...(['failed', 'held', 'reset'] as const).flatMap((name) =>
      stable.outcomes[name] + candidate.outcomes[name] === 0
        ? []
        : [row(`requests ${name}`, ({ outcomes }) => outcomes[name])],
    ),
    ...rowsOf('answered itself', ({ localReplies }) => localReplies),
    row('host calls, mean', ({ hostCalls }) => hostCalls),
    row('callouts', ({ callouts }) => callouts),
    ...rowsOf('  nobody answered', ({ blocked }) => blocked),
    row('guest time, mean', ({ guestMicroseconds: { mean } }) => `${mean} µs`),
    row('guest time, 99 %', ({ guestMicroseconds: { p99 } }) => `${p99} µs`),
  ])
  return `${table}Times are of this machine and say only which of the two takes longer.\n`
}

function steps({ steps: all, compared, withoutKey }: SimulationReport): string {
  const table = formatTable([
    ['step', '', 'would get the candidate'],
    ...all.map(({ step, candidate }, at) => [`${at + 1}`, step, `${candidate} of ${compared}`]),
  ])
  const keyless =
    withoutKey === 0
      ? ''
      : `${requests(withoutKey)} without a key: stable until the weight is 100.\n`
  return `Both versions got every request, as at 100 per cent. In a first run:\n${table}${keyless}`
}

function sample({ place, request, route, differences: found, ...rest }: Sample): string {
  const { stable, candidate, said } = rest
  const lines = [`  ${place}: ${request}${route === undefined ? '' : ` (${route})`}`]
  for (const one of found) {
    const what = one.bytes && `${one.bytes.before} → ${one.bytes.after} bytes`
    lines.push(`    ${[one.class, what ?? outcome(one.class, stable, candidate)].join(': ')}`)
    for (const change of one.headers ?? []) lines.push(`      ${headerChange(change)}`)
  }
  lines.push(...said.map((line) => `      ${line.replaceAll('\n', ' ')}`))
  return `${lines.join('\n')}\n`
}

const BY_STATUS: ReadonlySet<string> = new Set(['trap', 'held', 'reset', 'local-reply', 'status'])

function outcome(name: string, stable: number, candidate: number): string {
  return BY_STATUS.has(name) ? `${stable} → ${candidate}` : 'headers'
}

function headerChange({ name, before, after }: HeaderChange): string {
  if (before === undefined) return `+ ${name}: ${after?.join(', ')}`
  if (after === undefined) return `- ${name}: ${before.join(', ')}`
  return `~ ${name}: ${before.join(', ')} → ${after.join(', ')}`
}
