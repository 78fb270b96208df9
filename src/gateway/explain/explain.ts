/**
 * Explains what becomes of a request: which route takes it and why no other one does, through which
 * plugins it goes, where to. It asks the tables that requests are served by; with a run, the request really takes
 * its way, in a sandbox.
 */
import type { RequestScope } from '../../config/activation.ts'
import type { Refusal } from '../../config/refusals.ts'
import { readSnapshot } from '../../config/read-snapshot.ts'
import type { RouteRule, Snapshot } from '../../config/snapshot.ts'
import type { ConfigSource } from '../../config/source.ts'
import type { VmPool } from '../../proxy-wasm/index.ts'
import { Exchange } from '../exchange.ts'
import type { Recognition } from '../../rollout/recognition.ts'
import { RoutedRequest } from '../routed-request.ts'
import type { Running } from '../running.ts'
import { candidateViews, viewOf } from './candidates.ts'
import { chainView, skippedViews } from './chain-view.ts'
import type { BackendView, ExplainRequest, Explanation, NoExplanation } from './explanation.ts'
import { recognise, withoutTokens } from './explained-visitor.ts'
import { Masker } from './mask.ts'
import { Sandbox, type SandboxOptions } from './sandbox.ts'

export interface ExplainParts extends Omit<SandboxOptions, 'leave'> {
  readonly source: ConfigSource
  /** The gateway's. */
  readonly pool: VmPool
  /** What runs now; undefined for nothing. */
  readonly running: Running | undefined
  readonly revision: number
  readonly snapshot: string | null
  readonly refusals: readonly Refusal[]
  /** Reads preview tokens; undefined without a secret. */
  readonly recognition?: Recognition | undefined
}

interface Found {
  readonly revision: number
  readonly hash: string | null
  readonly snapshot: Snapshot
  /** It runs: its plugins have a state of their own. */
  readonly running?: Running
}

/** @returns the explanation, or why there is none */
export async function explain(
  asked: ExplainRequest,
  parts: ExplainParts,
  scope: RequestScope,
): Promise<{ readonly explanation: Explanation } | NoExplanation> {
  const found = await find(asked.at, parts)
  if ('code' in found) return found
  let request: Request
  try {
    request = requestOf(asked)
  } catch (error) {
    return { code: 'config.request_invalid', message: (error as Error).message }
  }
  const { snapshot } = found
  const sandbox =
    found.running === undefined || asked.run
      ? await Sandbox.open(snapshot, { ...parts, leave: asked.upstream }, scope)
      : undefined
  // states are those of what runs; a snapshot that does not has none
  const running = found.running ?? (sandbox as Sandbox).running
  const pool = sandbox?.pool ?? parts.pool
  const io = new Exchange(scope, Date.now())
  const previews = await recognise(request, io, running, parts.recognition)
  const routed = new RoutedRequest(pool, running, request, io)
  const won = running.routes.match(routed)
  const gateway = won?.gateway ?? running.routes.gatewayOf(routed)
  if (io.visitor?.sentTokens) withoutTokens(request)
  const run = asked.run ? await sandbox?.run(request) : undefined
  const view = won && viewOf(won)
  const explanation: Explanation = {
    revision: found.revision,
    snapshot: found.hash,
    request: { method: request.method, url: request.url },
    gateway: gateway ? `${gateway.namespace}/${gateway.name}` : null,
    route: view
      ? { name: view.route, rule: view.rule, hostname: view.hostname, match: view.match }
      : null,
    ...candidateViews(snapshot, routed, won),
    previews,
    chain: chainView(running, routed.plugins, found.running === undefined ? [] : parts.refusals),
    skipped: skippedViews(running, routed.plugins, won?.route, parts.node),
    backends: won ? backendViews(won.rule, running) : [],
    filters: won ? filtersOf(won.rule) : {},
    run,
  }
  if (asked.showSecrets) return { explanation }
  const mask = new Masker(maskedNames(snapshot))
  for (const [name, value] of asked.headers) mask.header(name.toLowerCase(), value)
  return { explanation: mask.apply(explanation) }
}

/** @throws for what is no request: a method or header that HTTP does not have, a body with GET */
function requestOf({ url, method, headers, body }: ExplainRequest): Request {
  const lines = new Headers(headers.map(([name, value]): [string, string] => [name, value]))
  if (body === undefined) return new Request(url, { method, headers: lines })
  const bytes = new TextEncoder().encode(body)
  // as it would come over a wire
  if (!lines.has('content-length')) lines.set('content-length', String(bytes.length))
  return new Request(url, { method, headers: lines, body: bytes })
}

/** The snapshot that runs, or that of a revision in the store. */
async function find(
  at: number | undefined,
  { source, running, revision, snapshot }: ExplainParts,
): Promise<Found | NoExplanation> {
  if (at === undefined || (at === revision && running !== undefined)) {
    if (running !== undefined) {
      return { revision, hash: snapshot, snapshot: running.snapshot, running }
    }
    return { code: 'config.none', message: 'this gateway runs nothing' }
  }
  const unknown = (why: string): NoExplanation => ({
    code: 'explain.revision_unknown',
    message: `revision ${at}: ${why}`,
  })
  const record = await source.get(`revision.${at}`)
  if (record === null) return unknown('the store has no record of it')
  const hash = snapshotOf(record)
  if (hash === undefined) return unknown('its record in the store cannot be read')
  const read = await readSnapshot(await source.get(`snapshot.${hash}`), hash)
  if (!('found' in read)) return unknown(read.message)
  return { revision: at, hash, snapshot: read.found }
}

function snapshotOf(record: string): string | undefined {
  try {
    const { snapshot } = JSON.parse(record) as { readonly snapshot?: unknown }
    return typeof snapshot === 'string' ? snapshot : undefined
  } catch {
    return undefined
  }
}

/** What the decision logs of plugins leave out stays out here as well. */
function maskedNames({ plugins }: Snapshot): string[] {
  return Object.values(plugins).flatMap(({ decisions }) => decisions?.mask ?? [])
}

function backendViews({ backends }: RouteRule, running: Running): BackendView[] {
  const sum = backends.reduce((all, { weight }) => all + weight, 0)
  return backends.map(({ upstream, weight }) => {
    const target = running.snapshot.upstreams[upstream]
    const to = target?.url ?? (target?.service === undefined ? '' : `service ${target.service}`)
    const percent = sum === 0 ? 0 : Math.round((weight / sum) * 1000) / 10
    const ejected = running.upstreams.get(upstream)?.ejected || undefined
    return { upstream, to, weight, percent, ejected }
  })
}

function filtersOf({
  matches: _matches,
  backends: _backends,
  ...filters
}: RouteRule): Explanation['filters'] {
  return filters
}
