/**
 * Upstream resources → the snapshot's upstreams, and the one table in which plugins and routes look
 * them up by name or alias.
 */
import type { Problem } from '../problem.ts'
import type { SnapshotUpstream } from '../snapshot.ts'
import { nearest } from '../nearest.ts'
import { resourceKey } from '../resources/resource-key.ts'
import { DEFAULT_TIMEOUT_MS } from '../resources/upstream.ts'
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
    upstreams[name] = {
      name,
      ...(url === undefined ? {} : { url: url.replace(/\/+$/, '') }),
      ...(service === undefined ? {} : { service }),
      aliases: [...aliases].sort(),
      timeoutMs,
    }
  }
  return { upstreams, names, problems }
}

function serviceHint(service: string, services: readonly string[]): string {
  const near = nearest(service, services)
  if (near !== undefined) return `did you mean ${near}?`
  const known = services.length === 0 ? 'it has none' : `it has ${services.join(', ')}`
  return `${known}. Bindings are declared in wrangler.toml`
}
