/** What tests of `postern apply` begin from: a folder with a policy, and a gateway in this process. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModuleCatalog } from '../../src/config/compile/module-catalog.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { inProcessGateway, TOKEN } from './in-process-gateway.ts'
import type { InProcessGateway } from './in-process-gateway.ts'

export const sha = (digit: string): string => digit.repeat(64)
/** A file and its sha256. */
export const WASM = 'not really wasm, but bytes with a sha256'
export const WASM_SHA: string = createHash('sha256').update(WASM).digest('hex')

/** What the gateway has bound. */
export const BOUND: ModuleCatalog = [
  { name: 'header-policy', version: '1.0.0', sha256: sha('a'), urls: [] },
  { name: 'header-policy', version: '1.1.0', sha256: sha('b'), urls: [] },
  { name: 'mine', version: '1.0.0', sha256: WASM_SHA, urls: [] },
]

const MANIFEST = JSON.stringify({
  name: 'header-policy',
  versions: [
    { version: '1.0.0', file: '1.0.0.wasm', sha256: sha('a') },
    { version: '2.0.0', file: '2.0.0.wasm', sha256: sha('d') },
  ],
})

/** A WasmPlugin of the name `headers`, of which `more` are further lines of the spec. */
export const plugin = (url: string, more = ''): string => `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: headers
spec:
  url: ${url}
${more}`

export const ROUTES = `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: shop }
spec: { service: SHOP }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec:
  parentRefs: [{ name: edge }]
  rules:
    - backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }]
`

export interface PolicyFolder extends CommandLine {
  readonly gateway: InProcessGateway
  write(name: string, text: string): Promise<void>
}

/** A policy of two files, the folder `plugins/`, and a gateway that runs nothing yet. */
export async function policyFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<PolicyFolder> {
  const gateway = inProcessGateway(BOUND)
  const line = await commandLine(
    {
      '.dev.vars': `# made by npm start\nADMIN_TOKEN="${TOKEN}"\n`,
      'plugins/header-policy/plugin.json': MANIFEST,
      'policy/routes.yaml': ROUTES,
      'policy/headers.yaml': plugin('oci://r.test/header-policy:1.0.0'),
      ...files,
    },
    { fetch: gateway.fetch, env: { USER: 'ann' } },
  )
  const write = (name: string, text: string): Promise<void> => writeFile(join(line.cwd, name), text)
  return { ...line, gateway, write }
}
