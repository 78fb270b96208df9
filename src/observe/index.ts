/**
 * What a gateway counts and how it is shown: a registry of metrics, plugins' own among them, and
 * Prometheus' text format. Web APIs and the machine alone.
 * @module
 */
export { DecisionLog } from './decision-log.ts'
export { FAMILIES } from './families.ts'
export { hubSink } from './hub-sink.ts'
export { GuestMetrics } from './guest-metrics.ts'
export { Counter, Gauge, Histogram, type Sample } from './metric.ts'
export { isOfPastRun, type Runs } from './past-runs.ts'
export { CONTENT_TYPE, prometheusText } from './prometheus.ts'
export { Registry } from './registry.ts'
export { refusedNow } from './refused-now.ts'
export type {
  ActiveRevision,
  IsolateFacts,
  IsolateView,
  MergedView,
  NodeView,
  Report,
  ReportedPlugin,
  ReportedRefusal,
  ReportReply,
  ReportSink,
  VersionedRollouts,
} from './report.ts'
export { Reporter } from './reporter.ts'
export { ReportStore } from './report-store.ts'
export { parseTagRules, type TagRule } from './tag-rules.ts'
