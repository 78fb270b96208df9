/** The rows over HTTP: a gateway beside a Worker written by hand, or beside itself without a rollout. */
import { type BenchPlugin, type BenchRollout, FIVE, ONE } from './policy.ts'
import { LARGE_PATH, SMALL_PATH } from './traffic.ts'

export interface HttpRow {
  readonly name: string
  /** Least ratio of requests per second, gateway to baseline. */
  readonly target: number
  readonly plugins: readonly BenchPlugin[]
  /** A rollout of the first of them. */
  readonly rollout?: BenchRollout
  /** A file of workers/; absent: the same gateway without the rollout. */
  readonly baseline?: string
  readonly path: string
  readonly connections: number
  /** Requests with small answers, and then of its own, before anything is timed. */
  readonly warmUp: { readonly small: number; readonly own: number }
  /** Whether upstream and client must see the same headers from both sides. */
  readonly sameHeaders: boolean
}

const small = {
  path: SMALL_PATH,
  connections: 32,
  warmUp: { small: 25_000, own: 0 },
  sameHeaders: true,
}
const large = {
  path: LARGE_PATH,
  connections: 8,
  warmUp: { small: 25_000, own: 400 },
  sameHeaders: false,
}

export const HTTP_ROWS: readonly HttpRow[] = [
  { name: 'no-plugin', target: 0.97, plugins: [], baseline: 'hono-none', ...small },
  { name: 'one-header-plugin', target: 0.95, plugins: ONE, baseline: 'hono-one', ...small },
  { name: 'one-header-plugin-bare', target: 0.9, plugins: ONE, baseline: 'bare-one', ...small },
  { name: 'five-plugins', target: 0.8, plugins: FIVE, baseline: 'hono-five', ...small },
  { name: 'pass-through-1mb', target: 0.97, plugins: ONE, baseline: 'bare-fetch', ...large },
  {
    name: 'body-plugin-1mb',
    target: 1.5,
    plugins: [{ module: 'mask-card-numbers:1.0.0' }],
    baseline: 'bare-transform',
    ...large,
  },
  {
    name: 'canary-50',
    target: 0.97,
    plugins: ONE,
    rollout: { mode: 'enforce', weight: 50 },
    ...small,
    // each of two versions gets half of them
    warmUp: { small: 60_000, own: 0 },
  },
  {
    name: 'shadow-10',
    target: 0.9,
    plugins: ONE,
    rollout: { mode: 'shadow', weight: 10 },
    ...small,
  },
]
