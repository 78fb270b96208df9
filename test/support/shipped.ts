/** The plugins of `plugins/`, ready to run in the machine. */
import { LoadError, type Plugin, type PluginOptions } from '../../src/proxy-wasm/index.ts'
import { type Machine, machine, moduleAt } from './machine.ts'
import { type Played, type PlayOptions, playPlugins } from './play.ts'

export interface ShippedOptions extends PlayOptions {
  readonly version?: string
  readonly fields?: Partial<PluginOptions>
}

/** A shipped plugin with its configuration as JSON. */
export function shipped(
  host: Machine,
  name: string,
  configuration: unknown,
  { version = '1.0.0', fields = {} }: ShippedOptions = {},
): Promise<Plugin> {
  return host.plugin({
    name,
    module: moduleAt(`plugins/${name}/${version}.wasm`),
    configuration:
      typeof configuration === 'string' ? configuration : JSON.stringify(configuration),
    ...fields,
  })
}

/** Sends one request through one shipped plugin. */
export async function playShipped(
  name: string,
  configuration: unknown,
  options: ShippedOptions = {},
): Promise<Played> {
  const host = options.host ?? machine(options)
  return playPlugins(host, [await shipped(host, name, configuration, options)], options)
}

/** @returns why the plugin refuses its configuration: its own errors in the log, and the error's code */
export async function refusal(name: string, configuration: unknown): Promise<string> {
  const host = machine()
  const plugin = await shipped(host, name, configuration)
  try {
    plugin.start()
  } catch (error) {
    // the AssemblyScript SDK logs through stdout, which has no levels: they are in its text
    const said = host.logs
      .filter(({ level, message }) => level === 4 || message.startsWith('[ERROR]'))
      .map(({ message }) => message)
    return `${error instanceof LoadError ? error.code : String(error)}: ${said.join(' ')}`
  }
  throw new Error(`${name} accepted ${JSON.stringify(configuration)}`)
}

/** A GET with these headers. */
export function get(url: string, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request(new URL(url, 'http://shop.example'), { headers })
}
