/**
 * Upstream resources → the snapshot's upstreams, and the one table in which plugins and routes look
 * them up by name or alias.
 */
import type { Problem } from '../problem.ts'
import type { RetryPolicy, SnapshotUpstream } from '../snapshot.ts'
import { nearest } from '../nearest.ts'
import { privateAddress } from '../private-address.ts'
import { resourceKey } from '../resources/resource-key.ts'
import { DEFAULT_BACKOFF_MS, DEFAULT_TIMEOUT_MS } from '../resources/upstream.ts'
import type { Upstream } from '../resources/upstream.ts'

export interface CompiledUpstreams {
  readonly upstreams: Readonly<Record<string, SnapshotUpstream>>
  /** Name or alias → name. */
  readonly names: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/**
 * @param resources the Upstreams
 * @param services the Worker's service bindings; undefined where nobody knows them
 */
export function compileUpstreams(
  resources: readonly Upstream[],
  services: readonly string[] | undefined,
): CompiledUpstreams {
  const upstreams: Record<string, SnapshotUpstream> = {}
  const owners = new Map<string, string>()
  const names = new Map<string, string>()
  const problems: Problem[] = []

  for (const resource of resources) {
    const key = resourceKey(resource)
    const { name } = resource.metadata
    const { url, service, aliases = [], timeoutMs = DEFAULT_TIMEOUT_MS } = resource.spec
    const claims = [
      { claim: name, path: ['metadata', 'name'] },
      ...aliases.map((claim, index) => ({ claim, path: ['spec', 'aliases', index] })),
    ]
    for (const { claim, path } of claims) {
      const owner = owners.get(claim)
      if (owner === undefined) {
        owners.set(claim, key)
        names.set(claim, name)
        continue
      }
      const message = `${owner} already has the name ${JSON.stringify(claim)}; upstreams are found by name alone`
      problems.push({ code: 'config.duplicate', severity: 'error', resource: key, path, message })
    }
    if (service !== undefined && services !== undefined && !services.includes(service)) {
      problems.push({
        code: 'config.dangling_reference',
        severity: 'error',
        resource: key,
        path: ['spec', 'service'],
        message: `the Worker has no service binding ${service}; ${serviceHint(service, services)}`,
      })
    }
    const address =
      url === undefined || resource.spec.allowPrivate ? undefined : privateAddress(url)
    if (address !== undefined) {
      problems.push({
        code: 'config.private_address',
        severity: 'error',
        resource: key,
        path: ['spec', 'url'],
        message: `${address} is an address of a private network, of the machine itself, or of a metadata service; if it is meant, write allowPrivate: true`,
      })
    }
    upstreams[name] = {
      name,
      ...(url === undefined ? {} : { url: new URL(url).href.replace(/\/+$/, '') }),
      ...(service === undefined ? {} : { service }),
      aliases: [...aliases].sort(),
      timeoutMs,
      ...policiesOf(resource),
    }
  }
  return { upstreams, names, problems }
}

/** What is not set stays out, so that it costs nothing. */
function policiesOf({
  spec: { retries, outlierDetection, allowedPaths },
}: Upstream): Pick<SnapshotUpstream, 'retry' | 'outlier' | 'allowedPaths'> {
  return {
    ...(retries === undefined ? {} : { retry: retryOf(retries) }),
    ...(outlierDetection === undefined ? {} : outlierOf(outlierDetection)),
    ...(allowedPaths === undefined
      ? {}
      : { allowedPaths: [...new Set(allowedPaths.map(withoutSlash))].sort() }),
  }
}

function withoutSlash(path: string): string {
  return path === '/' ? path : path.replace(/\/$/, '')
}

function retryOf(retries: NonNullable<Upstream['spec']['retries']>): RetryPolicy {
  const { attempts = 1, codes = [], backoffMs = DEFAULT_BACKOFF_MS } = retries
  return { attempts, codes: [...new Set(codes)].sort(), backoffMs }
}

function outlierOf(
  detection: NonNullable<Upstream['spec']['outlierDetection']>,
): Pick<SnapshotUpstream, 'outlier'> {
  const { consecutive5xxErrors = 5, consecutiveGatewayErrors = 0 } = detection
  if (consecutive5xxErrors === 0 && consecutiveGatewayErrors === 0) return {}
  const { baseEjectionMs = 30_000, maxEjectionMs = 300_000 } = detection
  return {
    outlier: {
      ...(consecutive5xxErrors === 0 ? {} : { consecutive5xx: consecutive5xxErrors }),
      ...(consecutiveGatewayErrors === 0 ? {} : { consecutiveGatewayErrors }),
      baseEjectionMs,
      maxEjectionMs: Math.max(baseEjectionMs, maxEjectionMs),
    },
  }
}

function serviceHint(service: string, services: readonly string[]): string {
  const near = nearest(service, services)
  if (near !== undefined) return `did you mean ${near}?`
  const known = services.length === 0 ? 'it has none' : `it has ${services.join(', ')}`
  return `${known}. Bindings are declared in wrangler.toml`
}
