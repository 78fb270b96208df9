/** What the Worker is deployed with: `wrangler.toml` has the same names, each with its meaning. */
import type { Fetcher } from '../gateway/index.ts'
import { parseTagRules, type TagRule } from '../observe/index.ts'
import { LogLevel, type NodeInfo } from '../proxy-wasm/index.ts'
import { isSecret } from '../rollout/mac.ts'
import type { PolicyObjectBase } from './policy-object.ts'
import type { ReportObject } from './report-object.ts'
import type { RolloutObject } from './rollout-object.ts'
import type { SingletonObjectBase } from './singleton-object.ts'

export interface Env {
  readonly KV: KVNamespace
  readonly POLICY: DurableObjectNamespace<PolicyObjectBase>
  /** Without it each isolate shows its own metrics alone. */
  readonly REPORTS?: DurableObjectNamespace<ReportObject>
  /** Without it singletons do not run. */
  readonly SINGLETONS?: DurableObjectNamespace<SingletonObjectBase>
  /** Without it no rollout goes forward. */
  readonly ROLLOUTS?: DurableObjectNamespace<RolloutObject>
  readonly ADMIN_TOKEN?: string
  readonly ADMIN_READ_TOKEN?: string
  readonly REPORT_TOKENS?: string
  readonly HUB_URL?: string
  readonly HUB_TOKEN?: string
  readonly ADMIN_HOST?: string
  readonly ROLLOUT_SECRET?: string
  readonly ACCESS_TEAM_DOMAIN?: string
  readonly ACCESS_AUD?: string
  readonly ACCESS_WRITERS?: string
  readonly TRUSTED_KEYS?: string
  readonly BASELINE?: string
  readonly REFRESH_SECONDS?: string
  readonly MAX_STALE_SECONDS?: string
  readonly REPORT_SECONDS?: string
  readonly RISE_LEAD_SECONDS?: string
  readonly NODE_NAME?: string
  readonly NODE_CLUSTER?: string
  readonly NODE_LABELS?: string
  readonly ALLOWED_HOST_ENV?: string
  readonly ROOT_NAMESPACE?: string
  readonly LOG_LEVEL?: string
  readonly VM_MEMORY_MB?: string
  readonly METRIC_TAGS?: string
}

/** A variable as a number of seconds; undefined when it is absent or no number. */
export function seconds(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return value >= 0 ? value : undefined
}

const REPORT_SECONDS = 15

/** `REPORT_SECONDS`, which must be less than a request's background work lasts. */
export function reportSeconds(text: string | undefined): number {
  const value = seconds(text)
  return value === undefined || value === 0 ? REPORT_SECONDS : Math.min(value, 20)
}

/** `NODE_LABELS`, such as `store=042,region=eu`. */
export function nodeLabels(env: Env): Readonly<Record<string, string>> {
  const labels = listed(env.NODE_LABELS).flatMap((label): [string, string][] => {
    const [name = '', ...value] = label.split('=')
    return name.trim() === '' ? [] : [[name.trim(), value.join('=').trim()]]
  })
  return Object.fromEntries(labels)
}

/** The parts of a variable between commas. */
export function listed(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** `NODE_NAME`, `NODE_CLUSTER` and `NODE_LABELS` as plugins see them. */
export function nodeInfo(env: Env): NodeInfo {
  const metadata = nodeLabels(env)
  const { region, zone } = metadata
  return { id: env.NODE_NAME ?? '', cluster: env.NODE_CLUSTER ?? '', region, zone, metadata }
}

/** A variable in MiB as bytes; undefined when it is absent or no number. */
export function megabytes(text: string | undefined): number | undefined {
  const value = seconds(text)
  return value === undefined ? undefined : value * 1024 * 1024
}

/** `METRIC_TAGS` as rules; what is none is logged, and the others count. */
export function metricTags(text: string | undefined): readonly TagRule[] {
  const { rules, wrong } = parseTagRules(text === undefined || text === '' ? '[]' : text)
  for (const why of wrong) console.error(`METRIC_TAGS: ${why}`)
  return rules
}

/** `ROLLOUT_SECRET`; undefined when there is none, or one that is logged as too short. */
export function rolloutSecret({ ROLLOUT_SECRET: secret = '' }: Env): string | undefined {
  if (isSecret(secret)) return secret
  if (secret !== '') {
    console.error(
      'ROLLOUT_SECRET: expected 16 characters or more; there are no previews and no issued keys',
    )
  }
  return undefined
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warn,
  error: LogLevel.Error,
  critical: LogLevel.Critical,
}

/** `LOG_LEVEL` as the machine's number; info when it is absent or unknown. */
export function logLevel(text: string | undefined): LogLevel {
  return LEVELS[text ?? ''] ?? LogLevel.Info
}

/** The binding of that name if it is a service: something with `fetch` that is no other kind of binding. */
export function serviceBinding(env: Env, name: string): Fetcher | undefined {
  const binding = (env as unknown as Readonly<Record<string, unknown>>)[name]
  return isService(binding) ? binding : undefined
}

/** The names of all service bindings. */
export function serviceNames(env: Env): string[] {
  return Object.entries(env).flatMap(([name, binding]) => (isService(binding) ? name : []))
}

/** By its tag: a service answers any property asked of it with an RPC method, so none can tell it apart. */
function isService(binding: unknown): binding is Fetcher {
  return Object.prototype.toString.call(binding) === '[object Fetcher]'
}
