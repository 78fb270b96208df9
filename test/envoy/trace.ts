/** The probes' log lines → callbacks and the host calls in each, without what differs by chance. */
import { readPairs } from '../../src/proxy-wasm/memory/pairs.ts'
import type { Entry } from './journal.ts'
import { labelOf, type Numbered, type Step, type Steps } from './scenario.ts'
import { ASIDE, Names, steady } from './steady.ts'

export type Line = Readonly<Record<string, unknown>>

export interface Call {
  /** `get_header(x-user)` */
  readonly what: string
  readonly line: Line
}

export interface Callback {
  /** `p1.request_headers` */
  readonly what: string
  /** `root`, `s1`, … */
  readonly context: string
  readonly line: Line
  readonly calls: readonly Call[]
}

const BODY = /_body$/

export function traceOf(scenario: Numbered, entries: readonly Entry[]): Callback[] {
  const names = new Names()
  const callbacks: (Callback & { readonly calls: Call[]; readonly steps: Step[] })[] = []
  for (const { plugin, message } of entries) {
    const line = parsed(message)
    if (line === undefined) continue
    const normal = steady(plugin, line, names, scenario.headerOrder === true)
    const { on, call } = line
    if (typeof on === 'string' && on !== 'allocate') {
      callbacks.push({
        what: `${plugin}.${on}`,
        context: String(normal['context'] ?? ''),
        line: normal,
        calls: [],
        steps: [...stepsOf(scenario, plugin, on)],
      })
      continue
    }
    const current = callbacks.findLast(({ what }) => what.startsWith(`${plugin}.`))
    if (current === undefined) continue
    const step = typeof call === 'string' ? takeStep(current.steps, call) : undefined
    const what = describe(typeof call === 'string' ? call : 'allocate', step)
    current.calls.push({ what, line: withoutChance(what, normal) })
  }
  return callbacks
    .filter(({ line, what }) => keeps(scenario, what, line))
    .map(({ what, context, line, calls }) => ({
      what,
      context,
      line: BODY.test(what) && !inChunks(scenario, what) ? { ...line, size: '' } : line,
      calls,
    }))
}

/** The wire decides how a body is cut: unless a scenario says otherwise only its end counts. */
function keeps(scenario: Numbered, what: string, line: Line): boolean {
  // Envoy does not say whose it is
  if (what.endsWith('.initialize')) return false
  return inChunks(scenario, what) || !BODY.test(what) || line['end_of_stream'] === true
}

function inChunks({ everyChunk }: Numbered, what: string): boolean {
  return everyChunk !== undefined && what.endsWith(`.${everyChunk}_body`)
}

function parsed(message: string): Line | undefined {
  if (!message.startsWith('{"')) return undefined
  try {
    return JSON.parse(message) as Line
  } catch {
    return undefined
  }
}

function stepsOf(scenario: Numbered, label: string, on: string): readonly Step[] {
  const index = scenario.plugins.findIndex((_, i) => labelOf(i) === label)
  const plugin = scenario.plugins[index]
  const early = plugin?.vmConfiguration ?? plugin?.env?.['PROBE'] ?? ''
  const before = early.startsWith('{') ? (JSON.parse(early) as { readonly steps?: Steps }) : {}
  const scripts = [plugin?.steps, before.steps]
  const script = scripts.find((steps) => steps?.[on] !== undefined)
  return (script?.[on] ?? []).flatMap((step) =>
    Array.from({ length: Number(step['times'] ?? 1) }, () => step),
  )
}

/** The step that a line came from: the next of that name; conditions may have skipped some before. */
function takeStep(steps: Step[], call: string): Step | undefined {
  const at = steps.findIndex((step) => step['call'] === call)
  return at < 0 ? undefined : steps.splice(0, at + 1).at(-1)
}

/** What tells a call from others of its name. */
const TELLING = [
  'label',
  'path',
  'name',
  'key',
  'function',
  'as',
  'map',
  'buffer',
  'stream',
  'metric',
]

function describe(call: string, step: Step | undefined): string {
  if (step === undefined) return call
  const parts = TELLING.flatMap((field) => (field in step ? [textOf(step[field])] : []))
  return parts.length === 0 ? call : `${call}(${parts.join(' ')})`
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('.')
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : JSON.stringify(value)
}

/** Values that are the clock's, the kernel's or chance's: only their size is compared. */
const BY_CHANCE =
  /^get_property\((?:request\.(?:time|duration)|connection_id|connection\.id|(?:source|upstream|destination)\.(?:port|address|local_address)|upstream\.local_address|response\.backend_latency)\)$|^(?:time|clock|random)\b/

function withoutChance(what: string, line: Line): Line {
  if (/^get_property\((?:request|response)\.(?:headers|trailers)\)$/.test(what)) return asMap(line)
  if (!BY_CHANCE.test(what)) return line
  const { value, nanoseconds, ...rest } = line
  const text = typeof value === 'string' ? value.replaceAll(/\d+/g, 'N') : undefined
  const known = text !== undefined && /^[ -~]+$/.test(text) && /[.:]/.test(text) ? text : '(varies)'
  return { ...rest, ...(value != null && { value: known }), ...(nanoseconds != null && { known }) }
}

/** A map of headers: without those that are aside, in no order. */
function asMap(line: Line): Line {
  if (typeof line['value'] !== 'string') return line
  const flat = readPairs(Uint8Array.from(Buffer.from(line['value'], 'latin1'))) ?? []
  const entries = flat.flatMap((name, i) =>
    i % 2 === 0 && !ASIDE.test(name) ? [`${name}: ${flat[i + 1] ?? ''}`] : [],
  )
  return { status: line['status'], value: entries.sort() }
}
