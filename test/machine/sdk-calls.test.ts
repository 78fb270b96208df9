/**
 * Every call that an SDK offers, made by a plugin that was built with it: the tables in `sdk-calls/`
 * list the calls. A row fails when the host function was not reached, or when what the plugin says of it,
 * or what upstream and client get, is something else.
 */
import { describe, expect, it } from 'vitest'
import { moduleAt } from '../support/machine.ts'
import { ASSEMBLYSCRIPT } from './sdk-calls/assemblyscript.ts'
import { GO } from './sdk-calls/go.ts'
import { runScript, type ScriptRun } from './sdk-calls/run-script.ts'
import { RUST, RUST_0_1 } from './sdk-calls/rust.ts'
import { type Script, SCRIPTS } from './sdk-calls/scripts.ts'
import type { SdkCall } from './sdk-calls/sdk-call.ts'

const SDKS: readonly (readonly [name: string, module: string, calls: readonly SdkCall[]])[] = [
  ['Rust 0.2.5', 'sdk-rust/sdk-rust-0.2.5.wasm', RUST],
  ['Rust 0.2.5 without WASI', 'sdk-rust/sdk-rust-0.2.5-unknown.wasm', RUST],
  ['Rust 0.1.4, ABI 0.1.0', 'sdk-rust/sdk-rust-0.1.4.wasm', RUST_0_1],
  ['Go', 'sdk-go/sdk-go.wasm', GO],
  ['AssemblyScript', 'sdk-as/sdk-as.wasm', ASSEMBLYSCRIPT],
]

describe.each(SDKS)('%s', (_, file, calls) => {
  const module = `test/fixtures/${file}`
  const runs = new Map<string, Promise<ScriptRun>>()
  const run = (name: string): Promise<ScriptRun> => {
    const known = runs.get(name) ?? runScript(module, scriptOf(name))
    runs.set(name, known)
    return known
  }

  it.each(calls)('%s', async (_call, host, ...scripts) => {
    const reached = new Set<string>()
    for (const name of scripts) {
      const seen = await run(name)
      check(scriptOf(name), seen)
      for (const called of seen.called) reached.add(called)
    }
    expect(reached).toContain(host)
  })

  it('imports no host function that none of these calls reaches', async () => {
    const reached = new Set<string>()
    for (const name of new Set(calls.flatMap(([, , ...scripts]) => scripts))) {
      for (const called of (await run(name)).called) reached.add(called)
    }
    const imported = WebAssembly.Module.imports(moduleAt(module).module)
      .filter((one) => one.module === 'env' && one.kind === 'function')
      .map(({ name }) => name)
    expect(imported.filter((name) => !reached.has(name))).toEqual([])
  })

  it('has each call in its table once', () => {
    const names = calls.map(([call]) => call)
    expect(names).toEqual([...new Set(names)])
  })
})

it('has no script that no table uses', () => {
  const used = new Set(SDKS.flatMap(([, , calls]) => calls.flatMap(([, , ...names]) => names)))
  expect(Object.keys(SCRIPTS).filter((name) => !used.has(name))).toEqual([])
})

function scriptOf(name: string): Script {
  const script = SCRIPTS[name]
  if (script === undefined) throw new Error(`there is no script ${name}`)
  return script
}

function check(script: Script, { played, said, logs, panic }: ScriptRun): void {
  const all = said.join('\n')
  let from = 0
  for (const line of script.says ?? []) {
    const at = said.findIndex(
      (one, i) => i >= from && (typeof line === 'string' ? one === line : line.test(one)),
    )
    expect(at, `${line} behind line ${from} of\n${all}`).toBeGreaterThanOrEqual(0)
    from = at + 1
  }
  if (script.panics) expect(panic).toMatch(script.panics)
  else expect(panic).toBeUndefined()
  // a line that its recorder does not know, or a status that is none of those that the script awaits
  const odd = said.filter((line) => /^unknown |refused/.test(line))
  expect(odd.filter((line) => !awaited(script, line))).toEqual([])
  if (script.logs) {
    const [level, message] = script.logs
    expect(logs).toContainEqual(expect.objectContaining({ level, message }))
  }
  if (script.sent !== undefined) expect(played?.sent?.body).toBe(script.sent)
  if (script.body !== undefined) expect(played?.body).toBe(script.body)
  if (script.status !== undefined) expect(played?.response.status).toBe(script.status)
  if (script.grpcStatus !== undefined) {
    expect(played?.response.headers.get('grpc-status')).toBe(script.grpcStatus)
  }
}

function awaited({ says = [], refused }: Script, line: string): boolean {
  const named = says.some((one) => (typeof one === 'string' ? one === line : one.test(line)))
  return named || (refused?.test(line) ?? false)
}
