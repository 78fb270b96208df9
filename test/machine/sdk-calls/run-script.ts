/** Runs a script in a recorder, and writes down which host functions its guest has called. */
import { type GrpcCall, type GrpcEvent, Status } from '../../../src/proxy-wasm/index.ts'
import { ForeignFunctionRegistry } from '../../../src/proxy-wasm/in-memory/foreign-functions.ts'
import { bytesToText, textToBytes } from '../../../src/proxy-wasm/memory/byte-string.ts'
import { FakeTime } from '../../support/fake-time.ts'
import { machine, moduleAt } from '../../support/machine.ts'
import { playPlugins, type Played, post, reply } from '../../support/play.ts'
import type { Script } from './scripts.ts'

export interface ScriptRun {
  readonly played: Played | undefined
  /** Lines of level info, as the recorder gave them to its SDK. */
  readonly said: readonly string[]
  readonly logs: readonly { readonly level: number; readonly message: string }[]
  /** Names of all host functions that were called. */
  readonly called: ReadonlySet<string>
  /** Why the guest ended. */
  readonly panic: string | undefined
}

/** @param module - path of a recorder, from the repository's root */
export async function runScript(module: string, script: Script): Promise<ScriptRun> {
  const time = new FakeTime()
  // Go's runtime does not start when its clock stands at 0
  time.pass(1_000)
  const foreignFunctions = new ForeignFunctionRegistry().registerAll({
    echo: (args) => textToBytes(bytesToText(args).toUpperCase()),
    later: (args, caller) => {
      caller.callBack(77, args)
      return undefined
    },
  })
  const grpcCalls = {
    declares: (_plugin: string, upstream: string) => upstream === 'echo',
    start: (call: GrpcCall) =>
      call.upstream === 'echo'
        ? { events: answer(call), cancel: () => undefined }
        : Status.ParseFailure,
  }
  const host = machine({
    ports: { clock: time.clock, timers: time.timers, foreignFunctions, grpcCalls },
    callout: async () => ({
      ...reply(200, 'answer', ['x-answer', 'yes']),
      trailers: ['x-trailer', 'end'],
    }),
  })
  const plugin = await host.plugin({
    name: 'recorder',
    module: moduleAt(module),
    configuration: script.lines.join('\n'),
    vmConfiguration: 'of the vm',
  })
  const held: Promise<unknown>[] = []
  const io = { waitUntil: (promise: Promise<unknown>) => void held.push(promise), gone: false }
  const send = (): Promise<Played> =>
    playPlugins(host, [plugin], {
      io,
      request: post('hello', { 'x-user': 'ann' }),
      response: new Response('ok', { headers: { 'x-up': 'yes' } }),
    })
  const { called, result } = await tracingCalls(async () => {
    const played = await send().catch(() => undefined)
    for (let i = 0; i < held.length; i++) await held[i]
    if (script.again !== undefined) {
      time.pass(script.again)
      await send()
    }
    if (script.retired) plugin.retire()
    return played
  })
  return {
    played: result,
    called,
    logs: host.logs,
    said: host.logs.filter(({ level }) => level === 2).map(({ message }) => plain(message)),
    panic: plugin.lastError?.message && host.logs.map(({ message }) => message).join('\n'),
  }
}

/** The AssemblyScript SDK logs through WASI, and puts the level in front. */
function plain(message: string): string {
  return message.replace(/^\[INFO\]: /, '').trimEnd()
}

async function* answer({ method, message }: GrpcCall): AsyncGenerator<GrpcEvent, void, void> {
  if (method === 'Fail') {
    yield { kind: 'close', status: 5, message: 'not here' }
    return
  }
  yield { kind: 'initial-metadata', metadata: ['x-first', '1'] }
  yield { kind: 'message', message: message ?? new Uint8Array(0) }
  yield { kind: 'trailing-metadata', metadata: ['x-last', '9'] }
  yield { kind: 'close', status: 0, message: '' }
}

/** Puts itself between guests and their imports while `work` runs. */
async function tracingCalls<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly called: ReadonlySet<string>; readonly result: Result }> {
  const called = new Set<string>()
  const { Instance } = WebAssembly
  const traced = (name: string, value: WebAssembly.ImportValue): WebAssembly.ImportValue => {
    if (typeof value !== 'function') return value
    return (...args: unknown[]): unknown => {
      called.add(name)
      return (value as (...given: unknown[]) => unknown)(...args)
    }
  }
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports: WebAssembly.Imports = {}) {
      const wrapped = Object.entries(imports).map(([name, functions]) => [
        name,
        Object.fromEntries(
          Object.entries(functions).map(([key, value]) => [key, traced(key, value)]),
        ),
      ])
      super(module, Object.fromEntries(wrapped) as WebAssembly.Imports)
    }
  }
  try {
    return { result: await work(), called }
  } finally {
    WebAssembly.Instance = Instance
  }
}
