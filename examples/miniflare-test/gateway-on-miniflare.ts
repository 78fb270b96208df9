/**
 * The gateway on Miniflare with a policy file applied: the only file here that knows how Miniflare is
 * driven. Requests to upstreams come to a function of the test; nothing leaves the machine.
 */
import { readFile } from 'node:fs/promises'
import { createTestHarness } from 'wrangler'
import { parseAllDocuments } from 'yaml'

const repository = new URL('../..', import.meta.url)
const ADMIN_TOKEN = 'miniflare-test'

export interface GatewayOnMiniflare {
  fetch(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/**
 * @param policy - a policy file
 * @param upstream - answers in place of every upstream
 * @throws when the policy is refused, with what is wrong in it
 */
export async function gatewayOnMiniflare(
  policy: URL,
  upstream: (request: Request) => Response | Promise<Response>,
): Promise<GatewayOnMiniflare> {
  const server = createTestHarness({
    root: repository.pathname,
    workers: [{ configPath: 'wrangler.toml', secrets: { ADMIN_TOKEN } }],
  })
  const { url } = await server.listen()
  const network = globalThis.fetch
  // Miniflare hands the Worker's own requests to this process's fetch
  globalThis.fetch = async (input, init) => upstream(new Request(input, init))
  const gateway: GatewayOnMiniflare = {
    fetch: (path, init) => network(new URL(path, url), { redirect: 'manual', ...init }),
    async close() {
      globalThis.fetch = network
      await server.close()
    },
  }
  const applied = await gateway.fetch('/-/apply', {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({
      resources: parseAllDocuments(await readFile(policy, 'utf8')).map((one): unknown =>
        one.toJS(),
      ),
      base: 0,
    }),
  })
  if (applied.ok) return gateway
  await gateway.close()
  throw new Error(`the policy was refused: ${await applied.text()}`)
}
