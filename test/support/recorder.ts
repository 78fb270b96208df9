/** The recorders of the SDKs (test/fixtures/README.md): guests that panic where a real plugin would. */
import { machine, moduleAt } from './machine.ts'
import { type Played, playPlugins, type PlayOptions } from './play.ts'

const MODULES = {
  rust: 'test/fixtures/sdk-rust/sdk-rust-0.2.5.wasm',
  'rust 0.1.4': 'test/fixtures/sdk-rust/sdk-rust-0.1.4.wasm',
  go: 'test/fixtures/sdk-go/sdk-go.wasm',
  assemblyscript: 'test/fixtures/sdk-as/sdk-as.wasm',
} as const
export type Sdk = keyof typeof MODULES

export interface Recorded extends Played {
  /** What the plugin logged, line by line. */
  readonly said: string[]
  /** Whether it still runs: no call has made it panic. */
  readonly alive: boolean
}

/**
 * Sends one request through a recorder.
 * @param calls - the lines of its configuration
 */
export async function record(
  sdk: Sdk,
  calls: readonly string[],
  options: PlayOptions = {},
): Promise<Recorded> {
  const host = machine(options)
  const plugin = await host.plugin({
    name: sdk,
    module: moduleAt(MODULES[sdk]),
    configuration: calls.join('\n'),
    ...options.plugin,
  })
  const played = await playPlugins(host, [plugin], options)
  return {
    ...played,
    get said() {
      return host.logs
        .filter((entry) => entry.level === 2)
        .map((entry) => entry.message.replace(/^\[INFO\]: /, '').trimEnd())
    },
    get alive() {
      return plugin.state === 'running'
    },
  }
}
