/**
 * PluginRollouts → the snapshot's rollouts: candidates resolved to modules, defaults filled in. A
 * candidate is in the snapshot beside the plugin it may take the place of.
 */
import { canonicalJson } from '../canonical.ts'
import { isCounted } from '../counted-plugins.ts'
import { nearest } from '../nearest.ts'
import { durationMs } from '../resources/duration.ts'
import { DEFAULT_NAMESPACE } from '../resources/metadata.ts'
import type { PluginRollout } from '../resources/plugin-rollout.ts'
import { DEFAULT_CONFIDENCE, DEFAULT_MIN_SAMPLES } from '../resources/rollout-analysis.ts'
import { type BlackoutWindow, DAYS } from '../resources/rollout-blackout.ts'
import { ISSUED_COOKIE, type RolloutKey } from '../resources/rollout-key.ts'
import { resourceKey } from '../resources/resource-key.ts'
import type { SnapshotPlugin } from '../snapshot.ts'
import { RATE_METRICS } from '../snapshot-rollout.ts'
import type {
  SnapshotAnalysis,
  SnapshotBlackout,
  SnapshotCandidate,
  SnapshotRollout,
  SnapshotRolloutKey,
} from '../snapshot-rollout.ts'
import { compileMatches } from './compile-matches.ts'
import { type ModuleCatalog, resolveModule } from './module-catalog.ts'
import type { NodeFacts } from './plugin-conditions.ts'
import type { Report } from './report.ts'
import { compileSteps, sortedLabels } from './rollout-steps.ts'

/**
 * @param plugins - those of the snapshot
 * @param node - that compiles, as far as it is known
 * @param report - takes references that lead nowhere, second rollouts of a plugin, modules that are unknown
 * @returns sorted by id, without those in which a problem was found
 */
export function compileRollouts(
  resources: readonly PluginRollout[],
  plugins: readonly SnapshotPlugin[],
  catalog: ModuleCatalog,
  report: Report,
  { issuesKeys = true }: NodeFacts = {},
): readonly SnapshotRollout[] {
  const owners = new Map<string, PluginRollout>()
  const rollouts = resources.flatMap((resource): SnapshotRollout[] => {
    const plugin = targetOf(resource, plugins, report)
    if (plugin === undefined) return []
    const other = owners.get(plugin.id)
    owners.set(plugin.id, other ?? resource)
    if (other !== undefined) {
      const message = `${resourceKey(other)} is for this plugin already; a plugin has one rollout`
      report({ code: 'config.duplicate', path: TARGET, message }, resource)
      return []
    }
    if (resource.spec.key?.type === 'issued' && !issuesKeys) {
      const message = 'the gateway has no ROLLOUT_SECRET to sign keys with'
      report({ code: 'rollout.no_secret', path: ['spec', 'key', 'type'], message }, resource)
    }
    const candidate = candidateOf(resource, plugin, catalog, report)
    return candidate === undefined ? [] : [rolloutOf(resource, plugin, candidate, report)]
  })
  return rollouts.sort((a, b) => (a.id < b.id ? -1 : 1))
}

const TARGET = ['spec', 'targetRef', 'name']

function targetOf(
  resource: PluginRollout,
  plugins: readonly SnapshotPlugin[],
  report: Report,
): SnapshotPlugin | undefined {
  const { name } = resource.spec.targetRef
  const { namespace = DEFAULT_NAMESPACE } = resource.metadata
  const plugin = plugins.find((one) => one.id === `${namespace}.${name}`)
  if (plugin === undefined) {
    const here = plugins.filter((one) => one.namespace === namespace)
    const near = nearest(
      name,
      here.map((one) => one.name),
    )
    const hint = near === undefined ? 'add it' : `did you mean ${near}?`
    const message = `there is no WasmPlugin ${name} in namespace ${namespace}; ${hint}`
    report({ code: 'config.dangling_reference', path: TARGET, message }, resource)
    return undefined
  }
  const message = whyNot(plugin, resource.spec)
  if (message === undefined) return plugin
  report({ code: 'config.unsupported', path: TARGET, message }, resource)
  return undefined
}

function whyNot(
  { singleton, mode }: SnapshotPlugin,
  { mode: usual = 'enforce', steps }: PluginRollout['spec'],
): string | undefined {
  if (singleton === true) {
    return 'a singleton sees no requests, so none can be given to a candidate: apply the change'
  }
  const apart = steps.map((step) => step.mode ?? usual).find((one) => one !== 'enforce')
  return mode === 'log-only' && apart !== undefined
    ? `a log-only plugin changes nothing that ${apart} could be compared with: let it enforce, or apply the change`
    : undefined
}

function candidateOf(
  resource: PluginRollout,
  plugin: SnapshotPlugin,
  catalog: ModuleCatalog,
  report: Report,
): SnapshotCandidate | undefined {
  const { url, sha256, pluginConfig } = resource.spec.candidate
  const configuration = pluginConfig === undefined ? plugin.configuration : textOf(pluginConfig)
  const { module, moduleName, moduleVersion } = plugin
  let candidate: SnapshotCandidate = {
    module,
    ...(moduleName === undefined ? {} : { moduleName }),
    ...(moduleVersion === undefined ? {} : { moduleVersion }),
    configuration,
  }
  if (url !== undefined) {
    const resolved = resolveModule(url, sha256, catalog)
    if ('message' in resolved) {
      const { code, field, message } = resolved
      report({ code, path: ['spec', 'candidate', field], message }, resource)
      return undefined
    }
    const { sha256: found, name, version } = resolved.module
    candidate = { module: found, moduleName: name, moduleVersion: version, configuration }
  }
  if (candidate.module === module && configuration === plugin.configuration) {
    const message = 'has no effect: the plugin is this version already; take the rollout out'
    report({ code: 'config.no_effect', path: ['spec', 'candidate'], message }, resource)
  }
  return candidate
}

/** As for a plugin: an empty configuration is no configuration. */
function textOf(config: Readonly<Record<string, unknown>>): string {
  return Object.keys(config).length === 0 ? '' : canonicalJson(config)
}

function rolloutOf(
  resource: PluginRollout,
  plugin: SnapshotPlugin,
  candidate: SnapshotCandidate,
  report: Report,
): SnapshotRollout {
  const { metadata, spec } = resource
  const { audience = {}, key = { type: 'clientIp' }, blackout = [], analysis, deadline } = spec
  if (plugin.shareVm) refuseCounting(resource, report)
  const { selector, matches, always = [], never = [] } = audience
  const at = ['spec', 'audience']
  const invalid = (path: readonly (string | number)[], message: string): void =>
    report({ code: 'config.invalid', path, message }, resource)
  const labels = sortedLabels(selector)
  const modes = spec.steps.map((step) => step.mode ?? spec.mode)
  if (spec.logOnly !== undefined && !modes.includes('log-only')) {
    const message = 'has no effect: no step is in mode log-only'
    report({ code: 'config.no_effect', path: ['spec', 'logOnly'], message }, resource)
  }
  const both = always.find((own) => never.includes(own))
  if (both !== undefined) {
    const message = `${JSON.stringify(both)} has no effect: it is in never, too, which counts before it`
    report({ code: 'config.no_effect', path: [...at, 'always'], message }, resource)
  }
  const pausesMs = spec.steps.reduce((all, { pause = '0s' }) => all + durationMs(pause), 0)
  if (deadline !== undefined && durationMs(deadline) <= pausesMs) {
    const message = `expected more than the pauses of its steps, ${pausesMs / 1000}s in all: no run could come to its end`
    invalid(['spec', 'deadline'], message)
  }
  return {
    id: `${metadata.namespace ?? DEFAULT_NAMESPACE}.${metadata.name}`,
    plugin: plugin.id,
    candidate,
    mode: spec.mode ?? 'enforce',
    ...(spec.logOnly?.callouts === 'block' ? { logOnly: { callouts: 'block' } } : {}),
    ...(labels === undefined ? {} : { selector: labels }),
    ...(matches === undefined ? {} : { matches: compileMatches({ matches }, at, invalid) }),
    ...(always.length === 0 ? {} : { always: [...new Set(always)].sort() }),
    ...(never.length === 0 ? {} : { never: [...new Set(never)].sort() }),
    key: compileKey(key),
    steps: compileSteps(spec, invalid),
    ...(blackout.length === 0 ? {} : { blackout: blackout.map((one) => compileWindow(one)) }),
    ...(analysis === undefined ? {} : { analysis: compileAnalysis(analysis) }),
    onFailure: spec.onFailure ?? 'rollback',
    ...(deadline === undefined ? {} : { deadlineMs: durationMs(deadline) }),
  }
}

/** Counted host calls are linked otherwise, which would part the plugin from those it shares memory with. */
function refuseCounting(resource: PluginRollout, report: Report): void {
  for (const [index, { name }] of (resource.spec.analysis?.metrics ?? []).entries()) {
    if (!isCounted(name)) continue
    const path = ['spec', 'analysis', 'metrics', index, 'name']
    const message = `${name} of a plugin with shareVm cannot be counted apart from those it shares a vm with; write traps, or take shareVm out`
    report({ code: 'config.unsupported', path, message }, resource)
  }
}

function compileKey({ type, name = ISSUED_COOKIE }: RolloutKey): SnapshotRolloutKey {
  return type === 'clientIp' ? { type } : { type, name }
}

function compileWindow({ from, to, days, timeZone }: BlackoutWindow): SnapshotBlackout {
  return {
    from: minutesOf(from),
    to: minutesOf(to),
    ...(days === undefined
      ? {}
      : { days: [...new Set(days.map((day) => DAYS.indexOf(day)))].sort() }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return hours * 60 + minutes
}

function compileAnalysis(
  analysis: NonNullable<PluginRollout['spec']['analysis']>,
): SnapshotAnalysis {
  const { metrics, minSamples = DEFAULT_MIN_SAMPLES, confidence = DEFAULT_CONFIDENCE } = analysis
  const rates: readonly string[] = RATE_METRICS
  return {
    metrics: metrics.map((metric) => {
      const { name, maxIncrease } = metric
      return rates.includes(name) ? { name, maxIncrease: maxIncrease / 100 } : metric
    }),
    minSamples,
    // written as the number it is meant to be: 100 - 99.9 is not 0.1
    alpha: Number(((100 - confidence) / 100).toPrecision(6)),
  }
}
