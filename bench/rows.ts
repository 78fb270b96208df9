/** The rows that compare a gateway with a Worker written by hand, over HTTP. */
import { type BenchPlugin, FIVE, ONE } from './policy.ts'
import { LARGE_PATH, SMALL_PATH } from './traffic.ts'

export interface HttpRow {
  readonly name: string
  /** Least ratio of requests per second, gateway to baseline. */
  readonly target: number
  readonly plugins: readonly BenchPlugin[]
  /** A file of workers/. */
  readonly baseline: string
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
]
