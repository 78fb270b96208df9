/**
 * An edge and four stores, each a gateway in a workerd of its own, with labels. One folder is the KV that
 * all of them read. The edge holds the policy and takes rollouts forward; stores report to it over HTTP.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorkerd, type Workerd } from '../../test/support/workerd.ts'

export interface Node {
  readonly name: string
  readonly url: string
}

export interface Retailer {
  readonly edge: Workerd
  /** The edge first. */
  readonly nodes: readonly Node[]
  stop(): Promise<void>
}

const STORES = ['berlin', 'hamburg', 'munich', 'vienna']
const REPORT_TOKEN = 'demo-token-of-the-stores'

/** Seconds, all of them short: what takes an hour is to be seen in a minute. */
const VARS = { REFRESH_SECONDS: '1', REPORT_SECONDS: '1', RISE_LEAD_SECONDS: '2' }

/** Starts all five. */
export async function startRetailer(): Promise<Retailer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-retailer-'))
  const kvFolder = join(folder, 'kv')
  const edge = await startWorkerd({
    kvFolder,
    vars: { ...VARS, NODE_NAME: 'edge', NODE_LABELS: 'place=edge', REPORT_TOKENS: REPORT_TOKEN },
  })
  const stores = await Promise.all(
    STORES.map((store) => {
      const own = { NODE_NAME: store, NODE_LABELS: `place=store,store=${store}` }
      const hub = { HUB_URL: edge.url, HUB_TOKEN: REPORT_TOKEN }
      return startWorkerd({ kvFolder, vars: { ...VARS, ...own, ...hub, ADMIN_TOKEN: undefined } })
    }),
  )
  const all = [edge, ...stores]
  return {
    edge,
    nodes: ['edge', ...STORES].map((name, index) => ({ name, url: all[index]?.url ?? '' })),
    async stop() {
      await Promise.all(all.map((one) => one.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
