/**
 * Reads Prometheus' text format, version 0.0.4, and refuses whatever a scraper would refuse or take for
 * something else.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface ParsedSeries {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: readonly ParsedSeries[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"/
const SUFFIXES = ['_bucket', '_sum', '_count']

/** @throws Error with the line that is wrong */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, ParsedFamily & { readonly series: ParsedSeries[] }>()
  const seen = new Set<string>()
  let help: { readonly name: string; readonly text: string } | undefined
  let current: (ParsedFamily & { readonly series: ParsedSeries[] }) | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const wrong = (why: string): Error => new Error(`${why}: ${line}`)
    const [, keyword, subject = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      help = { name: subject, text: rest }
    } else if (keyword === 'TYPE') {
      if (families.has(subject)) throw wrong('a second TYPE')
      if (help?.name !== subject) throw wrong('TYPE without HELP')
      if (!/^(counter|gauge|histogram)$/.test(rest)) throw wrong('an unknown type')
      current = { name: subject, type: rest, help: help.text, series: [] }
      families.set(subject, current)
    } else if (!line.startsWith('#')) {
      const series = parseLine(line, wrong)
      const own = current?.type === 'histogram' ? SUFFIXES.map((end) => current?.name + end) : []
      if (current === undefined || ![current.name, ...own].includes(series.name)) {
        throw wrong('a series outside of its family')
      }
      const identity = JSON.stringify([series.name, Object.entries(series.labels).sort()])
      if (seen.has(identity)) throw wrong('a series twice')
      seen.add(identity)
      current.series.push(series)
    }
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family)
  return families
}

function parseLine(line: string, wrong: (why: string) => Error): ParsedSeries {
  const name = NAME.exec(line)?.[0]
  if (name === undefined) throw wrong('no metric name')
  let rest = line.slice(name.length)
  const labels: Record<string, string> = {}
  if (rest.startsWith('{')) {
    rest = rest.slice(1)
    while (!rest.startsWith('}')) {
      const match = LABEL.exec(rest)
      if (match === null) throw wrong('a malformed label')
      const [whole, label = '', value = ''] = match
      if (label in labels) throw wrong('a label twice')
      labels[label] = value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
      rest = rest.slice(whole.length)
      if (rest.startsWith(',')) rest = rest.slice(1)
      else if (!rest.startsWith('}')) throw wrong('no comma between labels')
    }
    rest = rest.slice(1)
  }
  if (!/^ (-?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN)$/.test(rest)) throw wrong('no value')
  return { name, labels, value: Number(rest) }
}

function checkHistogram({ name, series }: ParsedFamily): void {
  const groups = new Map<string, ParsedSeries[]>()
  for (const one of series) {
    const { le: _le, ...labels } = one.labels
    const key = JSON.stringify(labels)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  for (const [labels, group] of groups) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`)
    const bounds = buckets.map((one) => Number(one.labels['le']?.replace('+Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const count = group.find((one) => one.name === `${name}_count`)?.value
    const grows = (values: number[]): boolean =>
      values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0))
    if (!grows(bounds) || !grows(counts)) throw new Error(`${name}${labels}: buckets out of order`)
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name}${labels}: no +Inf`)
    if (counts.at(-1) !== count) throw new Error(`${name}${labels}: _count is not the last bucket`)
    if (!group.some((one) => one.name === `${name}_sum`)) throw new Error(`${name}: no _sum`)
  }
}

/** The value of the one series with these labels and no others, or undefined. */
export function valueOf(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''))
  const wanted = JSON.stringify(Object.entries(labels).sort())
  return family?.series.find(
    (one) => one.name === name && JSON.stringify(Object.entries(one.labels).sort()) === wanted,
  )?.value
}
