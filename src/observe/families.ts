/**
 * Every metric of the gateway's own. Where Envoy has the same thing it has Envoy's name and labels, so
 * that dashboards made for Envoy work. `docs/OPERATIONS.md` lists them.
 */
import type { Family } from './metric.ts'
import { OVERFLOW_NAME } from './totals.ts'

interface CounterFamily extends Family {
  readonly kind: 'counter'
}

interface GaugeFamily extends Family {
  readonly kind: 'gauge'
}

interface HistogramFamily extends Family {
  readonly kind: 'histogram'
}

const counter = (name: string, help: string): CounterFamily => ({ name, kind: 'counter', help })

const gauge = (name: string, help: string, merge: 'sum' | 'max' = 'sum'): GaugeFamily => ({
  name,
  kind: 'gauge',
  help,
  merge,
})

const histogram = (name: string, help: string): HistogramFamily => ({
  name,
  kind: 'histogram',
  help,
})

type Counters =
  | 'itemsDropped'
  | 'reportsFailed'
  | 'reportsLost'
  | 'requests'
  | 'abandoned'
  | 'noRoute'
  | 'routeRequests'
  | 'upstreamRequests'
  | 'upstreamTimeouts'
  | 'upstreamFailures'
  | 'upstreamUnbound'
  | 'upstreamRetries'
  | 'upstreamEjections'
  | 'vmsCreated'
  | 'reloads'
  | 'reloadsFailed'
  | 'reloadsPut'
  | 'traps'
  | 'localReplies'
  | 'failedClosed'
  | 'failedOpen'
  | 'overBudget'
  | 'wouldBe'
  | 'decisionsDropped'
  | 'logLinesDropped'
  | 'rolloutRequests'
  | 'rolloutServerErrors'
  | 'rolloutDenials'
  | 'rolloutWall'
  | 'rolloutWallSquares'
  | 'rolloutStreams'
  | 'rolloutTraps'
  | 'rolloutHostCalls'
  | 'rolloutHostCallSquares'
  | 'rolloutMetricDefined'
  | 'rolloutMetricValues'
  | 'rolloutMetricSum'
  | 'rolloutMetricSquares'
  | 'shadowRuns'
  | 'shadowDifferences'
  | 'logOnlyRuns'
  | 'logOnlyDifferences'
  | 'refusals'
  | 'definitionsDropped'
  | 'seriesDropped'
  | 'overflow'

type Gauges = 'isolates' | 'isolatesBehind' | 'reportsUp' | 'vmsActive' | 'vmMemory' | 'revision'

type Families = Readonly<Record<Counters, CounterFamily>> &
  Readonly<Record<Gauges, GaugeFamily>> & {
    readonly duration: HistogramFamily
  }

export const FAMILIES: Families = {
  requests: counter('envoy_http_downstream_rq_xx', 'Requests by the class of their answer.'),
  abandoned: counter('envoy_http_downstream_rq_rx_reset', 'Requests whose client left first.'),
  duration: histogram(
    'envoy_http_downstream_rq_time',
    "Milliseconds from a request to its answer's headers.",
  ),
  noRoute: counter('envoy_http_no_route', 'Requests that matched no route.'),
  routeRequests: counter(
    'envoy_vhost_route_upstream_rq_xx',
    'Requests of a route by the class of their answer.',
  ),
  upstreamRequests: counter('envoy_cluster_upstream_rq_xx', "An upstream's answers by class."),
  upstreamTimeouts: counter(
    'envoy_cluster_upstream_rq_timeout',
    'Requests that an upstream did not answer in time.',
  ),
  upstreamFailures: counter(
    'envoy_cluster_upstream_cx_connect_fail',
    'Requests that did not reach their upstream, or broke off.',
  ),
  upstreamUnbound: counter(
    'envoy_cluster_upstream_cx_none_healthy',
    'Requests to a service binding that the Worker lacks.',
  ),
  upstreamRetries: counter('envoy_cluster_upstream_rq_retry', 'Requests that were sent again.'),
  upstreamEjections: counter(
    'envoy_cluster_outlier_detection_ejections_enforced_total',
    'How often an upstream was left alone for a while.',
  ),
  vmsCreated: counter('envoy_wasm_envoy_wasm_runtime_v8_created', 'Vms that were made.'),
  vmsActive: gauge('envoy_wasm_envoy_wasm_runtime_v8_active', 'Vms that run.'),
  vmMemory: gauge('envoy_wasm_envoy_wasm_runtime_v8_memory_size', 'Bytes of guest memory.'),
  reloads: counter('envoy_wasm_vm_reload_success', 'New vms of a plugin whose vm had failed.'),
  reloadsFailed: counter('envoy_wasm_vm_reload_failure', 'New vms of a plugin that did not start.'),
  reloadsPut: counter('envoy_wasm_vm_reload_backoff', 'Streams that met a plugin in its back-off.'),
  traps: counter('postern_plugin_traps_total', "Times a plugin's vm has trapped."),
  localReplies: counter('postern_plugin_local_replies_total', 'Requests a plugin has answered.'),
  failedClosed: counter(
    'postern_plugin_failed_closed_total',
    'Requests refused because a plugin could not run.',
  ),
  failedOpen: counter(
    'postern_plugin_failed_open_total',
    'Requests that went on without a plugin that could not run.',
  ),
  overBudget: counter(
    'postern_plugin_fail_open_budget_exceeded_total',
    'Requests refused because more had passed a failing plugin by than failOpenBudget lets.',
  ),
  wouldBe: counter(
    'postern_plugin_would_be_total',
    'What log-only plugins would have done, by its class.',
  ),
  decisionsDropped: counter(
    'postern_decision_lines_dropped_total',
    'Lines of the decision log beyond its bound for one isolate and second.',
  ),
  logLinesDropped: counter(
    'postern_plugin_log_lines_dropped_total',
    "Lines of a plugin beyond its policy's limits.logLinesPerSecond.",
  ),
  rolloutRequests: counter('postern_rollout_requests_total', "Requests of a rollout's audience."),
  rolloutServerErrors: counter(
    'postern_rollout_server_errors_total',
    'Of those, answers of 500 and above.',
  ),
  rolloutDenials: counter('postern_rollout_denials_total', 'Of those, answers of 400 to 499.'),
  rolloutWall: counter(
    'postern_rollout_wall_milliseconds_total',
    "Of those, milliseconds to their answers' headers.",
  ),
  rolloutWallSquares: counter(
    'postern_rollout_wall_milliseconds_squared_total',
    'The same, each squared, for their variance.',
  ),
  rolloutStreams: counter(
    'postern_rollout_streams_total',
    'Streams of those that are over, where their plugin is looked at.',
  ),
  rolloutTraps: counter('postern_rollout_traps_total', 'Of those, in which the plugin failed.'),
  rolloutHostCalls: counter(
    'postern_rollout_host_calls_total',
    'Host calls that the plugin made in those.',
  ),
  rolloutHostCallSquares: counter(
    'postern_rollout_host_calls_squared_total',
    "The same, each stream's squared, for their variance.",
  ),
  rolloutMetricDefined: counter(
    'postern_rollout_metric_defined_total',
    "Isolates in which the plugin has defined a metric that its rollout's analysis asks for.",
  ),
  rolloutMetricValues: counter(
    'postern_rollout_metric_values_total',
    'Of a histogram, how many values were recorded.',
  ),
  rolloutMetricSum: counter(
    'postern_rollout_metric_sum_total',
    'What streams added to a counter or recorded in a histogram.',
  ),
  rolloutMetricSquares: counter(
    'postern_rollout_metric_squared_total',
    "The same, each stream's or value squared, for their variance.",
  ),
  shadowRuns: counter(
    'postern_shadow_runs_total',
    'Requests that a shadow was to run for, by what came of it.',
  ),
  shadowDifferences: counter(
    'postern_shadow_differences_total',
    'Differences between shadows and the plugins they follow, by kind.',
  ),
  logOnlyRuns: counter(
    'postern_log_only_runs_total',
    'Requests that a log-only candidate was to run in, by what came of it.',
  ),
  logOnlyDifferences: counter(
    'postern_log_only_differences_total',
    'Differences between log-only candidates and the plugins they run beside, by kind.',
  ),
  revision: gauge('postern_config_revision', 'The revision that runs; 0 for none.', 'max'),
  refusals: counter('postern_config_refusals_total', 'Times something was refused, by its code.'),
  definitionsDropped: counter(
    'postern_metric_definitions_dropped_total',
    'Definitions of plugins beyond the cap on series of one isolate.',
  ),
  seriesDropped: counter(
    'postern_metric_series_dropped_total',
    'Samples beyond the cap on series of the merged view.',
  ),
  isolates: gauge('postern_isolates', 'Isolates that have reported of late.'),
  isolatesBehind: gauge(
    'postern_isolates_behind',
    'Isolates that run an older revision than another one.',
  ),
  itemsDropped: counter(
    'postern_singleton_items_dropped_total',
    'Items for queues of singletons that could not be sent, or found no queue.',
  ),
  reportsUp: gauge('postern_reports_up', '1 when this view is of all isolates, 0 of one alone.'),
  reportsFailed: counter('postern_reports_failed_total', 'Reports that were not taken in.'),
  reportsLost: counter('postern_reports_lost_total', 'Reports that never came.'),
  overflow: counter(OVERFLOW_NAME, 'Stands for all counters beyond the cap on series.'),
}

const GAUGE_MERGES: ReadonlyMap<string, 'sum' | 'max'> = new Map(
  Object.values<Family>(FAMILIES).flatMap((family) =>
    family.kind === 'gauge' ? [[family.name, family.merge ?? 'sum'] as const] : [],
  ),
)

/** How gauges of that name from several isolates become one. */
export function mergeOf(name: string): 'sum' | 'max' {
  return GAUGE_MERGES.get(name) ?? 'sum'
}
