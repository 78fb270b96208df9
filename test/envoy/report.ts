/** What a run says, as text and as JSON. */
import type { Verdict } from './known.ts'

export interface Summary {
  readonly scenarios: number
  readonly equal: number
  readonly known: number
  readonly unexplained: number
}

export function isUnexplained({ unexplained, stale }: Verdict): boolean {
  return unexplained.length > 0 || stale.length > 0
}

export function summarize(verdicts: readonly Verdict[]): Summary {
  const unexplained = verdicts.filter(isUnexplained).length
  const known = verdicts.filter((one) => !isUnexplained(one) && one.known.length > 0).length
  const scenarios = verdicts.length
  return { scenarios, equal: scenarios - known - unexplained, known, unexplained }
}

/** @param verbose - known differences in full, too */
export function text(verdicts: readonly Verdict[], verbose: boolean): string {
  const { scenarios, equal, known, unexplained } = summarize(verdicts)
  return [
    ...verdicts.flatMap((verdict) => block(verdict, verbose)),
    `${scenarios} scenarios, ${equal} equal, ${known} with known differences, ${unexplained} unexplained`,
  ].join('\n')
}

function block({ scenario, known, unexplained, stale }: Verdict, verbose: boolean): string[] {
  const ids = [...new Set(known.map(({ id }) => id))]
  const lines = [
    ...(verbose ? known.flatMap(({ id, difference }) => [`  (${id})`, ...shown(difference)]) : []),
    ...unexplained.flatMap(shown),
    ...stale.map((one) => `  ! ${one}`),
  ]
  if (lines.length === 0 && ids.length === 0) return []
  const heading = ids.length === 0 ? scenario.name : `${scenario.name}: ${ids.join(', ')}`
  return [heading, ...lines]
}

function shown({ at, envoy, postern }: Verdict['unexplained'][number]): string[] {
  return [`  ${at}`, ...indented('envoy  ', envoy), ...indented('postern', postern)]
}

function indented(name: string, value: string): string[] {
  return value.split('\n').map((line, i) => `    ${i === 0 ? name : '       '}  ${line}`)
}

export function json(verdicts: readonly Verdict[], about: object): string {
  const scenarios = verdicts.map((verdict) => ({
    name: verdict.scenario.name,
    result: isUnexplained(verdict) ? 'unexplained' : verdict.known.length > 0 ? 'known' : 'equal',
    known: verdict.known.map(({ id, difference }) => ({ id, ...difference })),
    unexplained: verdict.unexplained,
    stale: verdict.stale,
  }))
  return JSON.stringify({ ...about, ...summarize(verdicts), results: scenarios }, null, 2)
}
