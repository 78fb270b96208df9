/** Signed configuration from the command line to the gateway, through a change of keys. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { type CommandLine, type CommandResult, commandLine } from '../support/command-line.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { ADMIN_TOKEN, startWorkerd, type Workerd } from '../support/workerd.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-signing-'))
let origin: Origin
let workerd: Workerd
let line: CommandLine

/** As a deploy with this variable would. */
async function deploy(trusted: string | undefined): Promise<void> {
  await workerd?.stop()
  workerd = await startWorkerd({ folder, vars: { TRUSTED_KEYS: trusted } })
}

beforeAll(async () => {
  origin = await startOrigin((exchange) => exchange.reply(200, [], 'ok'))
  line = await commandLine({}, { env: { ADMIN_TOKEN }, fetch })
  await deploy(undefined)
})
afterAll(async () => {
  await workerd.stop()
  await origin.stop()
  rmSync(folder, { recursive: true, force: true })
})

const postern = (...args: string[]): Promise<CommandResult> =>
  line.postern(...args, '--gateway', workerd.url)
const mark = async (): Promise<string | undefined> =>
  (await send(`${workerd.url}/`)).header('x-mark')

function write(mark: string): void {
  writeFileSync(
    join(line.cwd, 'p.yaml'),
    `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: shop }
spec: { url: '${origin.url}', allowPrivate: true }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec: { rules: [{ backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }] }] }
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: headers }
spec:
  url: oci://ghcr.io/postern/header-policy:1.0.0
  pluginConfig: { response: { set: { x-mark: ${mark} } } }
`,
  )
}

async function key(file: string): Promise<string> {
  const { stdout } = await line.postern('keys', 'new', '--out', file)
  return stdout.trim()
}

it('is brought in, kept to, and its key changed, and requests never notice', async () => {
  write('unsigned')
  expect(await postern('apply', '-f', 'p.yaml')).toMatchObject({ exitCode: 0 })
  const first = await key('first.key')

  // what runs is signed before anybody insists on it
  expect(await postern('apply', '-f', 'p.yaml', '--sign', 'first.key')).toMatchObject({
    exitCode: 0,
  })
  await deploy(first)
  expect(await mark()).toBe('unsigned')

  write('two')
  const refused = await postern('apply', '-f', 'p.yaml')
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('[config.signature_missing]')
  expect(await mark()).toBe('unsigned')
  expect(await postern('apply', '-f', 'p.yaml', '--sign', 'first.key')).toMatchObject({
    exitCode: 0,
  })
  expect(await mark()).toBe('two')
  expect(await postern('rollback')).toMatchObject({ exitCode: 1 })
  expect(await postern('rollback', '--sign', 'first.key')).toMatchObject({ exitCode: 0 })
  expect(await mark()).toBe('unsigned')

  // the next key: trusted beside the first, then used, then alone
  const second = await key('second.key')
  write('three')
  const foreign = await postern('apply', '-f', 'p.yaml', '--sign', 'second.key')
  expect(foreign).toMatchObject({ exitCode: 1 })
  expect(foreign.stderr).toContain('[config.signature_key_unknown]')
  await deploy(`${first} ${second}`)
  expect(await mark()).toBe('unsigned')
  expect(await postern('apply', '-f', 'p.yaml', '--sign', 'second.key')).toMatchObject({
    exitCode: 0,
  })
  await deploy(second)
  expect(await mark()).toBe('three')
  write('four')
  const old = await postern('apply', '-f', 'p.yaml', '--sign', 'first.key')
  expect([old.exitCode, old.stderr]).toEqual([
    1,
    expect.stringContaining('[config.signature_key_unknown]'),
  ])
  const { stdout } = await postern('history', '--json')
  const records = JSON.parse(stdout).revisions as { signature?: { keyId: string } }[]
  const ids = [second, first, first, first].map((text) => text.slice(8, 24))
  expect(records.map(({ signature }) => signature?.keyId)).toEqual([...ids, undefined])
})
