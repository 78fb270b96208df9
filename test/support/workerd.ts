/**
 * The built Worker in `workerd serve`: real workerd, KV on a folder, Durable Objects on local disk,
 * the network on loopback, a second Worker behind the service binding `SHOP`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Baseline } from '../../src/config/active-config.ts'
import { isolateHeap } from './isolate-heap.ts'
import { bundleWorker } from './worker-bundle.ts'

const repository = join(import.meta.dirname, '../..')
const bin = join(repository, 'node_modules/.bin')

export interface WorkerdOptions {
  /** Text bindings; ADMIN_TOKEN is `test-token` unless given, absent when undefined. */
  readonly vars?: Readonly<Record<string, string | undefined>>
  /** The report object: as it is, behind one that loses and doubles reports, or not bound at all. */
  readonly reports?: 'sound' | 'flaky' | 'none'
  /** Kept between starts when given; else a folder of this start's own. */
  readonly folder?: string
  /** Where KV keeps its values, when several nodes have the same; in `folder` when absent. */
  readonly kvFolder?: string
  /** Who answers in place of the KV on a folder, as `host:port`. */
  readonly kvAt?: string
  /** Who keeps what the Cache API is given; nobody when absent. */
  readonly cacheAt?: string
  /** How many isolates there are beside the first two, that nobody has asked anything yet. */
  readonly coldIsolates?: number
  /** What was bundled with `postern baseline`. */
  readonly baseline?: Baseline
  /** `missing`: a deploy that lost the second module. */
  readonly control?: 'missing'
  /** `movable`: the Worker of worker/clocked.js, whose time clocked-gateway.ts moves. */
  readonly clock?: 'movable'
  /** With an inspector: `heap` says what is in use. */
  readonly inspected?: true
}

export interface Workerd {
  readonly url: string
  /** Another isolate of the same Worker, with the same store and objects. */
  readonly twin: string
  /** Isolates that run nothing until they are asked. */
  readonly cold: readonly string[]
  /** What becomes of reports, where they are `flaky`. */
  flaky(mode: 'sound' | 'down' | 'deaf' | 'twice' | 'late'): Promise<void>
  /** Where KV keeps its values, one file for each key. */
  readonly kv: string
  readonly folder: string
  /** What workerd has printed: plugins' logs and crashes. */
  output(): string
  /** Resident memory in bytes. */
  rss(): number
  /** Bytes in use on the heaps of the first two isolates after a collection, where they are `inspected`. */
  heap(): Promise<number>
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** A call of the admin API with the token. */
  admin(path: string, init?: RequestInit): Promise<Response>
  /** @param signal - how: SIGKILL is a crash */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export const ADMIN_TOKEN = 'test-token'

/** Starts the built Worker. @throws when it does not answer within 20 s */
export async function startWorkerd(options: WorkerdOptions = {}): Promise<Workerd> {
  const outdir = await bundleWorker()
  for (const file of ['shop.js', 'flaky-reports.js']) {
    copyFileSync(join(import.meta.dirname, 'worker', file), join(outdir, file))
  }
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'postern-node-'))
  const kv = options.kvFolder ?? join(folder, 'kv')
  mkdirSync(kv, { recursive: true })
  mkdirSync(join(folder, 'do'), { recursive: true })
  const ports: Ports = {
    main: await freePort(),
    twin: await freePort(),
    flaky: await freePort(),
    cold: await Promise.all(Array.from({ length: options.coldIsolates ?? 0 }, freePort)),
  }
  const vars = {
    ADMIN_TOKEN,
    REFRESH_SECONDS: '1',
    MAX_STALE_SECONDS: '2',
    LOG_LEVEL: 'info',
    ...options.vars,
  }
  const config = join(outdir, `config-${ports.main}.capnp`)
  const baseline = `baseline-${ports.main}.js`
  const bundled = options.baseline === undefined ? 'undefined' : JSON.stringify(options.baseline)
  writeFileSync(join(outdir, baseline), `export const baseline = ${bundled}\n`)
  writeFileSync(config, capnp(outdir, { folder, kv }, ports, vars, options))
  let output = ''
  const inspector = `127.0.0.1:${options.inspected ? await freePort() : 0}`
  const flags = options.inspected ? [`--inspector-addr=${inspector}`] : []
  const child = spawn(join(bin, 'workerd'), ['serve', ...flags, config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    wholeLines(stream, (lines) => (output += lines))
  }
  const url = `http://127.0.0.1:${ports.main}`
  await untilReady(url, child, () => output)
  return {
    url,
    twin: `http://127.0.0.1:${ports.twin}`,
    cold: ports.cold.map((port) => `http://127.0.0.1:${port}`),
    async flaky(mode) {
      await fetch(`http://127.0.0.1:${ports.flaky}/${mode}`, { method: 'POST' })
    },
    kv,
    folder,
    output: () => output,
    rss: () => rssOf(child),
    async heap() {
      const twin = `http://127.0.0.1:${ports.twin}`
      return (
        (await isolateHeap(inspector, 'main', url)) + (await isolateHeap(inspector, 'twin', twin))
      )
    },
    fetch: (path, init) => fetch(`${url}${path}`, { redirect: 'manual', ...init }),
    admin: (path, init) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(init?.headers as object) },
      }),
    async stop(signal = 'SIGTERM') {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await ended
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

interface Ports {
  readonly main: number
  readonly twin: number
  readonly flaky: number
  readonly cold: readonly number[]
}

function capnp(
  outdir: string,
  { folder, kv }: { readonly folder: string; readonly kv: string },
  ports: Ports,
  vars: Readonly<Record<string, string | undefined>>,
  { reports = 'sound', kvAt, cacheAt, control, clock }: WorkerdOptions,
): string {
  const text = (value: string): string => JSON.stringify(value)
  const socket = (name: string, port: number): string =>
    `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = "${name}")`
  const modules = readdirSync(outdir)
    .filter((name) => name.endsWith('.wasm'))
    .map((name) => `(name = ${text(`./${name}`)}, wasm = embed ${text(name)})`)
  const baseline = text(`baseline-${ports.main}.js`)
  const second = control ? '' : '(name = "control.js", esModule = embed "control.js"), '
  const worker = `compatibilityDate = "2026-11-01",
  compatibilityFlags = ["enable_request_signal", "no_nodejs_global_timers"],
  modules = [(name = "worker.js", esModule = embed ${text(clock ? 'clocked.js' : 'worker.js')}), ${second}(name = "baseline.js", esModule = embed ${baseline}), ${modules.join(', ')}],${cacheAt === undefined ? '' : '\n  cacheApiOutbound = "cache",'}`
  const outside = (name: string, address: string): string =>
    `(name = "${name}", external = (address = "${address}", http = ())),`
  const folders = `(name = "kv", disk = (path = ${text(kv)}, writable = true)),`
  const variables = Object.entries(vars).flatMap(([name, value]) =>
    value === undefined ? [] : `(name = ${text(name)}, text = ${text(value)})`,
  )
  const object = (name: string, className: string, service: string): string =>
    `(name = "${name}", durableObjectNamespace = (className = "${className}", serviceName = "${service}"))`
  const seen = {
    sound: object('REPORTS', 'ReportObject', 'main'),
    flaky: object('REPORTS', 'FlakyReports', 'flaky'),
    none: undefined,
  }[reports]
  const bindings = [
    '(name = "KV", kvNamespace = "kv")',
    '(name = "SHOP", service = "shop")',
    object('POLICY', 'PolicyObject', 'main'),
    object('SINGLETONS', 'SingletonObject', 'main'),
    object('ROLLOUTS', 'RolloutObject', 'main'),
    ...(seen === undefined ? [] : [seen]),
    ...variables,
  ]
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .gateway),
    (name = "twin", worker = .twin),
    (name = "flaky", worker = .flaky),
    (name = "shop", worker = .shop),
    ${kvAt === undefined ? folders : outside('kv', kvAt)}
    ${cacheAt === undefined ? '' : outside('cache', cacheAt)}
    ${ports.cold.map((_, i) => `(name = "cold${i}", worker = .twin),`).join('\n    ')}
    (name = "do", disk = (path = ${text(join(folder, 'do'))}, writable = true)),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [${socket('main', ports.main)}, ${socket('twin', ports.twin)}, ${[socket('flaky', ports.flaky), ...ports.cold.map((port, i) => socket(`cold${i}`, port))].join(', ')}],
);
const gateway :Workerd.Worker = (
  ${worker}
  bindings = [${bindings.join(', ')}],
  durableObjectNamespaces = [
    (className = "PolicyObject", uniqueKey = "policy", enableSql = true),
    (className = "ReportObject", uniqueKey = "report", enableSql = true),
    (className = "SingletonObject", uniqueKey = "singleton", enableSql = true),
    (className = "RolloutObject", uniqueKey = "rollout", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "do"),
);
const twin :Workerd.Worker = (
  ${worker}
  bindings = [${bindings.join(', ')}],
);
const flaky :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [(name = "flaky-reports.js", esModule = embed "flaky-reports.js")],
  bindings = [${object('FLAKY', 'FlakyReports', 'flaky')}, ${object('REAL', 'ReportObject', 'main')}],
  durableObjectNamespaces = [(className = "FlakyReports", uniqueKey = "flaky", enableSql = true)],
  durableObjectStorage = (inMemory = void),
);
const shop :Workerd.Worker = (
  compatibilityDate = "2026-11-01",
  modules = [(name = "shop.js", esModule = embed "shop.js")],
);
`
}

/** A long line comes in pieces, between which the other stream must not put its own. */
function wholeLines(stream: Readable, print: (lines: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) print(rest + text.slice(0, end))
    rest = end > 0 ? text.slice(end) : rest + text
  })
  stream.on('end', () => print(rest))
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break
    const answer = await fetch(`${url}/-/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`workerd did not start:\n${output()}`)
}

function rssOf(child: ChildProcess): number {
  const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', `${child.pid ?? 0}`]).toString()
  return Number(kilobytes) * 1024
}
