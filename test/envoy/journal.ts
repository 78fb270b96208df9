/**
 * What plugins have logged, by scenario. Both gateways write Envoy's form, `wasm log <name> <root id>
 * <vm id>: message`, and a vm id names its scenario. Envoy runs each plugin on its main thread, too:
 * only the worker's lines count.
 */
import { StringDecoder } from 'node:string_decoder'

export interface Entry {
  /** p1, p2, … */
  readonly plugin: string
  readonly message: string
}

const LINE = /^(?:(\d+) )?wasm log (?:(.*) )?(s\d+)\.([\w-]+): (.*)$/
const SERVING = '"on":"request_headers"'

export class Journal {
  readonly #threads: boolean
  readonly #decoder = new StringDecoder('utf8')
  readonly #byScenario = new Map<string, { readonly thread: string; readonly entry: Entry }[]>()
  #rest = ''
  #worker: string | undefined
  /** Everything, for when it does not start. */
  text = ''

  constructor(name: 'envoy' | 'postern') {
    this.#threads = name === 'envoy'
  }

  feed(data: Buffer | string): void {
    const text = typeof data === 'string' ? data : this.#decoder.write(data)
    this.text += text
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#add(line)
  }

  /** A scenario's lines in order, from the nth on. */
  entries(id: string, from = 0): Entry[] {
    const all = this.#byScenario.get(id) ?? []
    return all
      .filter(({ thread }) => !this.#threads || thread === this.#worker)
      .map(({ entry }) => entry)
      .slice(from)
  }

  #add(line: string): void {
    const [, thread = '', names = '', scenario = '', vm = '', message = ''] = LINE.exec(line) ?? []
    if (scenario === '') return
    if (this.#worker === undefined && message.includes(SERVING)) this.#worker = thread
    const words = names.split(' ')
    const plugin = /^p\d+$/.test(words.at(-1) ?? '')
      ? words.at(-1)
      : (/-(p\d+)$/.exec(words[0] ?? '')?.[1] ?? vm)
    const entries = this.#byScenario.get(scenario) ?? []
    entries.push({ thread, entry: { plugin: plugin ?? vm, message } })
    this.#byScenario.set(scenario, entries)
  }
}
