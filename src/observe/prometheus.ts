/**
 * Prometheus' text format, version 0.0.4: one block for each family, with HELP and TYPE before its
 * series.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { FAMILIES } from './families.ts'
import { BOUNDS, type Family, type MetricKind, type Sample } from './metric.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const GUEST_HELP = 'Defined by a plugin.'
const KINDS: readonly MetricKind[] = ['counter', 'gauge', 'histogram']
const KNOWN: ReadonlyMap<string, Family> = new Map(
  Object.values<Family>(FAMILIES).map((family) => [family.name, family]),
)

/**
 * @param samples - one for each series
 * @param comments - lines put before everything else
 */
export function prometheusText(
  samples: readonly Sample[],
  comments: readonly string[] = [],
): string {
  const lines = comments.map((comment) => `# ${comment.replaceAll('\n', ' ')}`)
  for (const { name, kind, members } of families(samples)) {
    lines.push(`# HELP ${name} ${escapeHelp(KNOWN.get(name)?.help ?? GUEST_HELP)}`)
    lines.push(`# TYPE ${name} ${kind}`)
    for (const member of members) lines.push(...seriesLines(name, member))
  }
  return `${lines.join('\n')}\n`
}

interface NamedFamily {
  readonly name: string
  readonly kind: MetricKind
  readonly members: readonly Sample[]
}

/**
 * Sorted by name. Two plugins may use one name for different kinds, which the format does not allow:
 * the first kind of counter, gauge and histogram keeps the name, the others get their kind behind it.
 */
function families(samples: readonly Sample[]): NamedFamily[] {
  const taken = new Set<string>()
  const found: NamedFamily[] = []
  for (const kind of KINDS) {
    for (const [wanted, members] of byName(samples.filter((sample) => sample.kind === kind))) {
      let name = wanted
      while (namesOf(name, kind).some((one) => taken.has(one))) name = `${name}_${kind}`
      for (const one of namesOf(name, kind)) taken.add(one)
      members.sort((a, b) => (a.labels < b.labels ? -1 : 1))
      found.push({ name, kind, members })
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function byName(samples: readonly Sample[]): Map<string, Sample[]> {
  const names = new Map<string, Sample[]>()
  for (const sample of samples) {
    const members = names.get(sample.name)
    if (members) members.push(sample)
    else names.set(sample.name, [sample])
  }
  return names
}

/** The names a family's lines have. */
function namesOf(name: string, kind: MetricKind): readonly string[] {
  return kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
}

function seriesLines(name: string, sample: Sample): string[] {
  const { labels } = sample
  if (sample.kind !== 'histogram') return [line(name, labels, sample.value)]
  const before = labels === '' ? '' : `${labels},`
  return [
    ...BOUNDS.map((le, index) =>
      line(`${name}_bucket`, `${before}le="${le}"`, sample.buckets[index] ?? 0),
    ),
    line(`${name}_bucket`, `${before}le="+Inf"`, sample.count),
    line(`${name}_sum`, labels, sample.sum),
    line(`${name}_count`, labels, sample.count),
  ]
}

function line(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
