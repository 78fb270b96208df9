/**
 * The vm key: plugins with the same key share one vm. Everything that a guest can tell apart, or that
 * decides what it may do, is in it. Shared data and queues are scoped by the vm id alone.
 */
import type { PluginSpec } from './plugin-spec.ts'

/** Which side of a rollout, and how its effects count; part of the key so that sides never share memory. */
export interface VmSide {
  readonly rollout: 'stable' | 'candidate'
  readonly mode: 'enforce' | 'log-only' | 'shadow'
}

const STABLE: VmSide = { rollout: 'stable', mode: 'enforce' }

/**
 * @returns lower-case hex SHA-256 of vm id, plugin name (unless it shares), vm configuration,
 *   environment, capabilities, limits, module, rollout side and mode
 */
export async function vmKey(spec: PluginSpec, side: VmSide = STABLE): Promise<string> {
  const text = JSON.stringify([
    spec.vmId,
    spec.shareVm ? null : spec.name,
    Array.from(spec.vmConfiguration),
    spec.environment.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    spec.allowedCapabilities ? [...spec.allowedCapabilities].toSorted() : null,
    limitsOf(spec),
    spec.allowOnHeadersStopIteration,
    spec.module.sha256,
    side.rollout,
    // who shares a vm shares what its calls become
    spec.logOnly === undefined ? side.mode : `log-only ${spec.logOnly.callouts}`,
    // it is linked otherwise
    ...(spec.counted ? ['counted'] : []),
  ])
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function limitsOf({ limits }: PluginSpec): readonly number[] {
  const { bodyBytes, calloutsPerRequest, pauseMs, logLinesPerSecond } = limits
  return [bodyBytes, calloutsPerRequest, pauseMs, logLinesPerSecond]
}
