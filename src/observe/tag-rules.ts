/**
 * Labels of guest metrics. The ABI has none, so plugins write them into names: a rule says which part
 * of a name is a label. The rules are Envoy's `stats_tags`, with its semantics: each expression is tried
 * on the whole name (`wasmcustom.` in front, as in Envoy), its first group is taken out of the name, its
 * second (or only) group is the label's value. Istio's `key=.=value;.;` needs no rule.
 */
import { type Labels, labelName, metricName } from './labels.ts'
import { OVERFLOW_NAME } from './totals.ts'

/** What Envoy puts in front of guest metrics, and takes off when it prints them. */
const GUEST_PREFIX = 'wasmcustom.'
/** Names that are the gateway's own: a plugin that wants one gets it with `wasmcustom_` in front. */
const RESERVED = /^(envoy|postern)_/
/** Longer names are cut before an expression sees them. */
const NAME_MAX = 2_048

export interface TagRule {
  readonly label: string
  readonly expression: RegExp
}

/** A guest metric's name, in parts. */
export interface TaggedName {
  readonly name: string
  readonly labels: Labels
}

/**
 * Reads rules as Envoy writes them: `[{ "tag_name": "code", "regex": "(_code_(\\d+))" }]`. Without a
 * regex the tag is looked for as the C++ SDK writes it by default: `.code.200.`.
 * @returns the rules, and a sentence for each that is none
 */
export function parseTagRules(text: string): {
  readonly rules: readonly TagRule[]
  readonly wrong: readonly string[]
} {
  const rules: TagRule[] = []
  const wrong: string[] = []
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch {
    return { rules, wrong: ['it is not JSON'] }
  }
  if (!Array.isArray(entries)) return { rules, wrong: ['it is not a list'] }
  for (const [index, entry] of (entries as unknown[]).entries()) {
    const rule = ruleOf(entry)
    if (typeof rule === 'string') wrong.push(`entry ${index}: ${rule}`)
    else rules.push(rule)
  }
  return { rules, wrong }
}

function ruleOf(entry: unknown): TagRule | string {
  if (typeof entry !== 'object' || entry === null) return 'expected tag_name and regex'
  const { tag_name: tag, regex } = entry as Readonly<Record<string, unknown>>
  if (typeof tag !== 'string' || tag === '') return 'expected tag_name'
  if (regex !== undefined && typeof regex !== 'string') return 'expected regex to be a string'
  const pattern = regex ?? `(?:^|\\.)(${tag.replaceAll(/[^\w]/g, '\\$&')}\\.([^.]+)\\.)`
  try {
    return { label: labelName(tag), expression: new RegExp(pattern, 'd') }
  } catch {
    return `${pattern} is no regular expression`
  }
}

/** Splits a guest's name by the rules. */
export function tagName(raw: string, rules: readonly TagRule[]): TaggedName {
  const labels: Record<string, string> = {}
  const full = GUEST_PREFIX + raw.slice(0, NAME_MAX)
  const cuts: [from: number, to: number][] = []
  for (const { label, expression } of rules) {
    const match = expression.exec(full)
    const cut = match?.indices?.[1]
    if (match === null || cut === undefined || label in labels) continue
    cuts.push(cut)
    labels[label] = match[2] ?? match[1] ?? ''
  }
  const left = withoutPrefix(takeOut(full, cuts))
  const name = metricName(takeIstioLabels(left, labels))
  const reserved = RESERVED.test(name) && name !== OVERFLOW_NAME
  return { name: reserved ? `wasmcustom_${name}` : name, labels }
}

/** The name without the parts that became labels; parts may overlap. */
function takeOut(text: string, cuts: [from: number, to: number][]): string {
  let left = ''
  let at = 0
  for (const [from, to] of cuts.sort(([a], [b]) => a - b)) {
    left += text.slice(at, Math.max(from, at))
    at = Math.max(at, to)
  }
  return left + text.slice(at)
}

function withoutPrefix(name: string): string {
  return name.startsWith(GUEST_PREFIX) ? name.slice(GUEST_PREFIX.length) : name
}

/** Istio's separators: `reporter=.=source;.;code=.=200;.;istio_requests_total`. */
function takeIstioLabels(name: string, labels: Record<string, string>): string {
  if (!name.includes('=.=')) return name
  const rest: string[] = []
  for (const part of name.split(';.;')) {
    const equals = part.indexOf('=.=')
    if (equals < 0) {
      rest.push(part)
      continue
    }
    // what stands before the first key, if anything, belongs to the name
    const keyAt = part.lastIndexOf('.', equals - 1) + 1
    rest.push(part.slice(0, keyAt))
    labels[labelName(part.slice(keyAt, equals))] = part.slice(equals + 3)
  }
  return rest.join('').replace(/\.$/, '')
}
