/**
 * The plugins that resources declare, whatever kind they are written in: one form for WasmPlugin,
 * TrafficExtension and the entries of an EnvoyExtensionPolicy, with the places of their fields, so
 * that what is wrong is reported where the operator wrote it.
 */
import { canonicalJson } from '../canonical.ts'
import type { FieldPath } from '../problem.ts'
import type { EnvoyExtensionPolicy, EnvoyWasm } from '../resources/envoy-extension-policy.ts'
import type { PluginResource, Resource } from '../resources/kinds.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type {
  PluginAttachment,
  PluginTargetRef,
  TrafficSelector,
} from '../resources/plugin-attachment.ts'
import { extensionPhase } from '../resources/traffic-extension.ts'
import type { WasmFields } from '../resources/wasm-fields.ts'
import type { FailStrategy, Phase } from '../snapshot.ts'

export interface DeclaredEnv {
  readonly name: string
  /** undefined: the node has it. */
  readonly value: string | undefined
  readonly path: FieldPath
}

export interface DeclaredTarget extends PluginTargetRef {
  readonly path: FieldPath
  /** Where the name stands. */
  readonly named: FieldPath
}

export interface DeclaredPlugin {
  readonly resource: PluginResource
  /** `<namespace>.<name>`, Istio's name for a plugin in Envoy; an entry of a list adds its own name. */
  readonly id: string
  readonly name: string
  readonly namespace: string
  /** Of an entry of a list: its name within the resource, and where it stands there. */
  readonly entry: string | undefined
  readonly index: number
  readonly url: string
  readonly sha256: string | undefined
  /** Where `url` and `sha256` stand, or would. */
  readonly source: FieldPath
  readonly rootId: string
  /** JSON text; empty when there is none. */
  readonly configuration: string
  readonly failStrategy: FailStrategy
  readonly env: readonly DeclaredEnv[]
  readonly phase: Phase
  readonly priority: number
  readonly labels: Readonly<Record<string, string>>
  /** undefined: it says nothing of targets. */
  readonly targets: readonly DeclaredTarget[] | undefined
  readonly match: readonly TrafficSelector[]
}

/** Whether a resource may declare plugins. */
export function declaresPlugins(resource: Resource): resource is PluginResource {
  const { kind } = resource
  return kind === 'WasmPlugin' || kind === 'TrafficExtension' || kind === 'EnvoyExtensionPolicy'
}

/** @returns the plugins of one resource, in its order */
export function declaredPlugins(resource: PluginResource): readonly DeclaredPlugin[] {
  if (resource.kind === 'EnvoyExtensionPolicy') {
    const { wasm = [] } = resource.spec
    return wasm.map((entry, index) => envoyPlugin(resource, entry, index))
  }
  const { spec } = resource
  const isExtension = resource.kind === 'TrafficExtension'
  const at = isExtension ? ['spec', 'wasm'] : ['spec']
  return [
    {
      ...named(resource),
      index: 0,
      ...wasmOf(isExtension ? resource.spec.wasm : resource.spec, at),
      phase: isExtension
        ? extensionPhase(resource.spec.phase)
        : (resource.spec.phase ?? 'UNSPECIFIED_PHASE'),
      priority: spec.priority ?? 0,
      ...selected(spec),
      match: spec.match ?? [],
    },
  ]
}

type Wasm = Pick<
  DeclaredPlugin,
  'url' | 'sha256' | 'source' | 'rootId' | 'configuration' | 'failStrategy' | 'env'
>

function named(
  resource: PluginResource,
  entry?: string,
): Pick<DeclaredPlugin, 'resource' | 'id' | 'name' | 'namespace' | 'entry'> {
  const { name: own, namespace = DEFAULT_NAMESPACE } = resource.metadata
  const name = entry === undefined ? own : `${own}.${entry}`
  const id = `${namespace}.${name}`
  return { resource, id, name, namespace, entry }
}

function wasmOf(wasm: WasmFields, at: FieldPath): Wasm {
  const config = wasm.pluginConfig ?? {}
  return {
    url: wasm.url,
    sha256: wasm.sha256,
    source: at,
    rootId: wasm.pluginName ?? '',
    // As Istio does: an empty configuration is no configuration.
    configuration: Object.keys(config).length === 0 ? '' : canonicalJson(config),
    failStrategy: wasm.failStrategy ?? 'FAIL_CLOSE',
    env: (wasm.vmConfig?.env ?? []).map(({ name, value = '', valueFrom }, index) => ({
      name,
      value: valueFrom === 'HOST' ? undefined : value,
      path: [...at, 'vmConfig', 'env', index, 'name'],
    })),
  }
}

/** Labels that a cluster puts on what runs a Gateway: whoever selects by them means that Gateway. */
const GATEWAY_NAME: ReadonlySet<string> = new Set([
  'gateway.networking.k8s.io/gateway-name',
  'istio.io/gateway-name',
])

function selected(spec: PluginAttachment): Pick<DeclaredPlugin, 'labels' | 'targets'> {
  const labels = Object.entries(spec.selector?.matchLabels ?? {})
  const gateways = labels.filter(([label]) => GATEWAY_NAME.has(label))
  if (gateways.length === 0) return { labels: Object.fromEntries(labels), targets: targetsOf(spec) }
  return {
    labels: Object.fromEntries(labels.filter(([label]) => !GATEWAY_NAME.has(label))),
    targets: gateways.map(([label, name]) => {
      const path = ['spec', 'selector', 'matchLabels', label]
      return { group: 'gateway.networking.k8s.io', kind: 'Gateway', name, path, named: path }
    }),
  }
}

function targetsOf(spec: {
  readonly targetRef?: PluginTargetRef
  readonly targetRefs?: readonly PluginTargetRef[]
}): DeclaredPlugin['targets'] {
  const { targetRef, targetRefs } = spec
  if (targetRef !== undefined) return [targetAt(targetRef, ['spec', 'targetRef'])]
  return targetRefs?.map((target, index) => targetAt(target, ['spec', 'targetRefs', index]))
}

function targetAt(target: PluginTargetRef, path: FieldPath): DeclaredTarget {
  return { ...target, path, named: [...path, 'name'] }
}

function envoyPlugin(
  resource: EnvoyExtensionPolicy,
  wasm: EnvoyWasm,
  index: number,
): DeclaredPlugin {
  const at = ['spec', 'wasm', index]
  const { type, http, image } = wasm.code
  const { url = '', sha256 } = (type === 'HTTP' ? http : image) ?? {}
  return {
    ...named(resource, wasm.name ?? `${index}`),
    index,
    url,
    sha256,
    source: [...at, 'code', type.toLowerCase()],
    rootId: wasm.rootID ?? '',
    configuration: wasm.config === undefined ? '' : canonicalJson(wasm.config),
    failStrategy: wasm.failOpen === true ? 'FAIL_OPEN' : 'FAIL_CLOSE',
    env: (wasm.env?.hostKeys ?? []).map((name, key) => ({
      name,
      value: undefined,
      path: [...at, 'env', 'hostKeys', key],
    })),
    phase: 'UNSPECIFIED_PHASE',
    priority: 0,
    labels: {},
    targets: targetsOf(resource.spec),
    match: [],
  }
}
