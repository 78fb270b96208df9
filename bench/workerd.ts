/** One side of a comparison: a Worker in a `workerd serve` of its own, and what that process costs. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse } from 'smol-toml'
import { pinned, stop } from './children.ts'
import { cpuSeconds, residentMegabytes } from './process-cost.ts'

/** What is to be served. */
export interface WorkerBundle {
  readonly folder: string
  /** Files in `folder`, the main module first. */
  readonly modules: readonly string[]
  readonly compatibilityFlags: readonly string[]
  readonly vars: Readonly<Record<string, string>>
  /** Files of a KV namespace in `folder`/kv, bound as `KV`; only the gateway has one. */
  readonly isGateway: boolean
}

export interface Side extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** CPU seconds of all its threads so far. */
  cpuSeconds(): number
  residentMegabytes(): number
}

const COMPATIBILITY_DATE = '2026-11-01'
const START_TIMEOUT_MS = 10_000

const text = (value: string): string => JSON.stringify(value)

/** workerd's own binary: the command of its package is a script that starts it. */
function workerdBinary(): string {
  const require = createRequire(import.meta.url)
  const platform = `${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  return require.resolve(`@cloudflare/workerd-${platform}/bin/workerd`, {
    paths: [require.resolve('workerd/package.json')],
  })
}

interface DeployedObject {
  readonly name: string
  readonly class_name: string
}

/** The Durable Objects that the gateway is deployed with. */
function deployedObjects(): readonly DeployedObject[] {
  const file = new URL('../wrangler.toml', import.meta.url)
  const { durable_objects: objects } = parse(readFileSync(file, 'utf8')) as unknown as {
    readonly durable_objects: { readonly bindings: readonly DeployedObject[] }
  }
  return objects.bindings
}

function configOf(bundle: WorkerBundle): string {
  const modules = bundle.modules.map((file) => {
    const kind = file.endsWith('.wasm') ? 'wasm' : 'esModule'
    return `(name = ${text(file)}, ${kind} = embed ${text(file)})`
  })
  const bindings = Object.entries(bundle.vars).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
  )
  const objects = bundle.isGateway ? deployedObjects() : []
  if (bundle.isGateway) {
    bindings.push('(name = "KV", kvNamespace = "kv")')
    for (const { name, class_name: className } of objects) {
      bindings.push(`(name = ${text(name)}, durableObjectNamespace = ${text(className)})`)
    }
  }
  const namespaces = objects.map(
    ({ class_name: className }) =>
      `(className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true)`,
  )
  const storage = `durableObjectNamespaces = [${namespaces.join(', ')}],
  durableObjectStorage = (inMemory = void),`
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .mainWorker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
    ${bundle.isGateway ? `(name = "kv", disk = (path = ${text(join(bundle.folder, 'kv'))}))` : ''}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const mainWorker :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  compatibilityDate = ${text(COMPATIBILITY_DATE)},
  compatibilityFlags = [${bundle.compatibilityFlags.map(text).join(', ')}],
  bindings = [${bindings.join(', ')}],
  ${bundle.isGateway ? storage : ''}
);
`
}

/** Starts workerd on a free port of 127.0.0.1 and waits until it listens. */
export async function serve(bundle: WorkerBundle, v8Flags: readonly string[] = []): Promise<Side> {
  const file = join(bundle.folder, 'workerd.capnp')
  const flags =
    v8Flags.length === 0 ? '' : `v8Flags = [${v8Flags.map(text).join(', ')}],\n  sockets =`
  writeFileSync(
    file,
    flags === '' ? configOf(bundle) : configOf(bundle).replace('sockets =', flags),
  )
  const command = [workerdBinary(), 'serve', file, '--control-fd=3']
  const [program = '', ...args] = pinned('workerd', command)
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    cwd: bundle.folder,
  })
  const pid = child.pid ?? 0
  const events = createInterface({ input: child.stdio[3] as NodeJS.ReadableStream })
  const late = setTimeout(() => child.kill(), START_TIMEOUT_MS)
  for await (const line of events) {
    const event = JSON.parse(line) as { readonly event: string; readonly port?: number }
    if (event.event !== 'listen' || event.port === undefined) continue
    clearTimeout(late)
    return {
      pid,
      port: event.port,
      cpuSeconds: () => cpuSeconds(pid),
      residentMegabytes: () => residentMegabytes(pid),
      [Symbol.asyncDispose]: () => stop(child),
    }
  }
  throw new Error(`workerd did not start; its configuration is ${file}`)
}
