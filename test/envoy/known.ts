/** The documented differences: ids in docs/HOST_DIFFERENCES.md, and which differences of a scenario they explain. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Difference } from './compare.ts'
import type { Numbered } from './scenario.ts'

const page = join(import.meta.dirname, '../../docs/HOST_DIFFERENCES.md')

/** The first column of every table of the page. */
export function documentedIds(): Set<string> {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm)
  return new Set([...rows].map(([, id]) => id ?? ''))
}

export interface Verdict {
  readonly scenario: Numbered
  readonly known: readonly { readonly id: string; readonly difference: Difference }[]
  readonly unexplained: readonly Difference[]
  /** What the scenario expects in vain, and ids that the page has not got. */
  readonly stale: readonly string[]
}

export function judge(
  scenario: Numbered,
  differences: readonly Difference[],
  documented: ReadonlySet<string>,
): Verdict {
  const known: Verdict['known'][number][] = []
  const unexplained: Difference[] = []
  const met = new Set<string>()
  const expected = Object.entries(scenario.known ?? {}).flatMap(([id, places]) =>
    places.map((place) => ({ id, place, pattern: patternOf(place) })),
  )
  for (const difference of differences) {
    const found = expected.filter(({ pattern }) => pattern.test(difference.at))
    for (const { id, place } of found) met.add(`${id}: ${place}`)
    const [first] = found
    if (first === undefined) unexplained.push(difference)
    else known.push({ id: first.id, difference })
  }
  const stale = expected.flatMap(({ id, place }) => {
    if (!documented.has(id)) return [`${id}: docs/HOST_DIFFERENCES.md has no such entry`]
    return met.has(`${id}: ${place}`) ? [] : [`${id}: no difference at ${place}`]
  })
  return { scenario, known, unexplained, stale }
}

/** `*` stands for any text. */
function patternOf(place: string): RegExp {
  const escaped = place.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`)
}
