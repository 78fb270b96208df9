/** Differences → the ids of docs/HOST_DIFFERENCES.md that a scenario expects, and what is left over. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Difference } from './compare.ts'
import { EXPECTED } from './expected.ts'
import { explains, hasRules } from './rules.ts'
import type { Numbered } from './scenario.ts'

const page = join(import.meta.dirname, '../../docs/HOST_DIFFERENCES.md')

/** The first column of the page's tables. */
export function documentedIds(): Set<string> {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm)
  return new Set([...rows].map(([, id]) => id ?? ''))
}

export interface Verdict {
  readonly scenario: Numbered
  readonly known: readonly { readonly id: string; readonly difference: Difference }[]
  readonly unexplained: readonly Difference[]
  /** Ids that the scenario expects in vain, and those that the page has not got. */
  readonly stale: readonly string[]
}

export function judge(
  scenario: Numbered,
  differences: readonly Difference[],
  documented: ReadonlySet<string>,
): Verdict {
  const expected = (EXPECTED[scenario.name] ?? '').split(' ').filter((id) => id !== '')
  // an id that explains everything comes last: the others must be needed without it
  const ids = [...expected.filter(hasRules), ...expected.filter((id) => !hasRules(id))]
  const known: Verdict['known'][number][] = []
  const unexplained: Difference[] = []
  for (const difference of differences) {
    const id = ids.find((one) => explains(one, difference))
    if (id === undefined) unexplained.push(difference)
    else known.push({ id, difference })
  }
  const stale = ids.flatMap((id) => {
    if (!documented.has(id)) return [`${id}: docs/HOST_DIFFERENCES.md has no such entry`]
    return known.some((one) => one.id === id) ? [] : [`${id}: no such difference any more`]
  })
  return { scenario, known, unexplained, stale }
}

/** What is wrong with the table of expectations itself. */
export function strayExpectations(names: ReadonlySet<string>): string[] {
  return Object.keys(EXPECTED).filter((name) => !names.has(name))
}
