/** Envoy as a side: one worker, no access log, the benchmark's plugins on its only route. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../test/envoy/free-ports.ts'
import { catalog } from './build.ts'
import { pinned, stop } from './children.ts'
import type { BenchPlugin } from './policy.ts'
import { cpuSeconds, residentMegabytes } from './process-cost.ts'
import type { Side } from './workerd.ts'

const TYPE = 'type.googleapis.com/envoy'
const START_MS = 60_000
const POLL_MS = 50

/**
 * Starts Envoy on free ports of 127.0.0.1 and waits until its plugins run.
 * @param program - Envoy's executable
 * @param folder - for its configuration
 * @throws when it ends, or is not ready in a minute
 */
export async function serveEnvoy(
  program: string,
  folder: string,
  plugins: readonly BenchPlugin[],
  upstreamPort: number,
): Promise<Side> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const file = join(folder, 'envoy.json')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, JSON.stringify(bootstrap(plugins, port, adminPort, upstreamPort)))
  const options = ['--concurrency', '1', '--disable-hot-restart', '-l', 'error']
  const [command = '', ...args] = pinned('workerd', [program, '-c', file, ...options])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const pid = child.pid ?? 0
  if (!(await untilReady(child, adminPort))) {
    await stop(child)
    throw new Error(`Envoy did not start; its configuration is ${file}`)
  }
  return {
    pid,
    port,
    cpuSeconds: () => cpuSeconds(pid),
    residentMegabytes: () => residentMegabytes(pid),
    [Symbol.asyncDispose]: () => stop(child),
  }
}

async function untilReady(child: ChildProcess, adminPort: number): Promise<boolean> {
  const deadline = Date.now() + START_MS
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return false
}

function bootstrap(
  plugins: readonly BenchPlugin[],
  port: number,
  adminPort: number,
  upstreamPort: number,
): object {
  const route = { match: { prefix: '/' }, route: { cluster: 'shop' } }
  const manager = {
    '@type': `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    codec_type: 'HTTP1',
    generate_request_id: false,
    server_header_transformation: 'PASS_THROUGH',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [
      ...plugins.map(wasmFilter),
      {
        name: 'router',
        typed_config: {
          '@type': `${TYPE}.extensions.filters.http.router.v3.Router`,
          suppress_envoy_headers: true,
        },
      },
    ],
  }
  return {
    admin: { address: loopback(adminPort) },
    static_resources: {
      listeners: [
        {
          name: 'bench',
          address: loopback(port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'shop',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'shop',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(upstreamPort) } }] }],
          },
        },
      ],
    },
  }
}

/** A vm of its own, as Postern gives each plugin by itself. */
function wasmFilter({ module, config = {} }: BenchPlugin, index: number): object {
  const [name, version] = module.split(':')
  const shipped = catalog().find((one) => one.name === name && one.version === version)
  if (shipped === undefined) throw new Error(`there is no module ${module}`)
  return {
    name: `plugin-${index}`,
    typed_config: {
      '@type': `${TYPE}.extensions.filters.http.wasm.v3.Wasm`,
      config: {
        name: `plugin-${index}`,
        configuration: {
          '@type': 'type.googleapis.com/google.protobuf.StringValue',
          value: JSON.stringify(config),
        },
        vm_config: {
          vm_id: `plugin-${index}`,
          runtime: 'envoy.wasm.runtime.v8',
          code: { local: { filename: shipped.file } },
        },
      },
    },
  }
}

const loopback = (port: number): object => ({
  socket_address: { address: '127.0.0.1', port_value: port },
})
