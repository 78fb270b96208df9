/** One log line without what may differ between two right hosts: ids, order of lines from the wire. */
import type { Line } from './trace.ts'

/** Names for the numbers of one scenario, by the order in which they first appear. */
export class Names {
  readonly #contexts = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #numbers = new Map<string, string>()

  /** `root` for a root context, `s1`, `s2`, … for streams; a new root may reuse old numbers. */
  create(plugin: string, context: unknown, parent: unknown): void {
    const name = parent === 0 ? 'root' : `s${this.#next(`${plugin} streams`)}`
    this.#contexts.set(`${plugin} ${String(context)}`, name)
  }

  context(plugin: string, context: unknown): string {
    return this.#contexts.get(`${plugin} ${String(context)}`) ?? `unknown ${String(context)}`
  }

  /** Queue ids, metric ids and the like mean nothing by themselves. */
  number(kind: string, value: unknown): string {
    const key = `${kind} ${String(value)}`
    let name = this.#numbers.get(key)
    if (name === undefined) {
      name = `${kind} ${this.#next(kind)}`
      this.#numbers.set(key, name)
    }
    return name
  }

  #next(kind: string): number {
    const next = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, next)
    return next
  }
}

/** Headers of the connection, of the server, or of the gateway by its own name. */
export const ASIDE: RegExp =
  /^(?:date|server|via|connection|keep-alive|transfer-encoding|accept-encoding|host|x-request-id|x-envoy-.*|x-forwarded-.*)$/

/** Fields that name a thing by a number of the host's choice. */
const NUMBERS = ['queue', 'cas', 'metric']

export function steady(plugin: string, line: Line, names: Names, ordered: boolean): Line {
  const result: Record<string, unknown> = { ...line }
  if (line['on'] === 'create') names.create(plugin, line['context'], line['parent'])
  if ('context' in line) result['context'] = names.context(plugin, line['context'])
  if ('parent' in line) {
    result['parent'] = line['parent'] === 0 ? 'none' : names.context(plugin, line['parent'])
  }
  if (line['call'] === 'set_effective_context' && 'id' in line) {
    result['id'] = names.context(plugin, line['id'])
  }
  for (const field of NUMBERS) {
    const value = line[field]
    if (typeof value === 'number' && value !== 0) {
      const kind = field === 'metric' ? `metric of type ${value & 3}` : field
      result[field] = names.number(kind, value)
    }
  }
  const { variables } = line
  // an environment has no order
  if (typeof variables === 'object') {
    result['variables'] = sorted(Object.entries(variables ?? {}))
  }
  // addresses in the guest's memory
  const slots = line['slots']
  if (Array.isArray(slots)) {
    result['slots'] = slots.map((slot) => (Number(slot) > 65_536 ? 'address' : String(slot)))
  }
  const pairs = line['pairs']
  if (Array.isArray(pairs)) {
    const rest = pairs.filter(([name]: string[]) => !ASIDE.test(name ?? ''))
    result['pairs'] = ordered ? rest : sorted(rest)
    if (line['size'] !== null) result['size'] = 'some'
  }
  // a callout's reply carries what its server and its client's proxy add
  if (line['on'] === 'http_call_response' && line['num_headers'] !== 0)
    result['num_headers'] = 'some'
  return result
}

/** Lines of one name keep their order. */
export function sorted<T>(pairs: readonly T[]): T[] {
  const name = (pair: T): string => String(Array.isArray(pair) ? pair[0] : pair)
  return [...pairs].sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0))
}
