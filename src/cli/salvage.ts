/**
 * What is left of a document when what is wrong in it is taken out. It stands in for the resource while
 * others are checked, so that one mistake is not reported again by everything that refers to it.
 */
import type { UnsoundDocument } from '../config/documents.ts'
import type { FieldPath } from '../config/problem.ts'
import { checkResource } from '../config/resources/check-resource.ts'
import type { Resource } from '../config/resources/kinds.ts'
import { resourceKey } from '../config/resources/resource-key.ts'

/** Taking one thing out may bring up the next. */
const ROUNDS = 5

/** The least a resource of a kind has to say. */
const LEAST: Readonly<Partial<Record<Resource['kind'], object>>> = {
  EnvoyExtensionPolicy: { targetRefs: [], wasm: [] },
  Gateway: {
    gatewayClassName: 'postern',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
  },
  HTTPRoute: {},
  PluginPolicy: { targetRefs: [] },
  TrafficExtension: { wasm: { url: 'oci://unknown' } },
  Upstream: { url: 'http://unknown.invalid' },
  WasmPlugin: { url: 'oci://unknown' },
}

/** Whether anything could refer to it. */
export function hasName({ value }: UnsoundDocument): boolean {
  return typeof value === 'object' && value !== null && resourceKey(value).includes('/')
}

/** @returns a sound resource of the same kind and name; undefined when too little is left */
export function salvage({ value, problems }: UnsoundDocument): Resource | undefined {
  let left: unknown = structuredClone(value)
  let wrong = problems
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { path, severity } of wrong.toReversed()) {
      if (severity === 'error') left = without(left, path)
    }
    const checked = checkResource(left)
    if (checked.resource !== undefined) return checked.resource
    wrong = checked.problems
  }
  return least(left)
}

function least(value: unknown): Resource | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  const spec = Object.entries(LEAST).find(([kind]) => kind === value.kind)?.[1]
  return checkResource({ ...value, spec }).resource
}

function without(value: unknown, path: FieldPath): unknown {
  const [part, ...rest] = path
  if (typeof value !== 'object' || value === null || part === undefined) return undefined
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    return rest.length === 0
      ? list.filter((_, index) => index !== part)
      : list.map((item, index) => (index === part ? without(item, rest) : item))
  }
  const entries = Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    if (name !== part) return [[name, member]]
    return rest.length === 0 ? [] : [[name, without(member, rest)]]
  })
  return Object.fromEntries(entries) as unknown
}
