/** `postern baseline`, with the plugins that are shipped. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/config/digest.ts'
import { readSnapshot } from '../../src/config/read-snapshot.ts'
import { type CommandLine, commandLine } from '../support/command-line.ts'

const PLUGINS = join(import.meta.dirname, '../../plugins')

const policy = (pluginConfig: string): string => `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: shop }
spec: { url: https://shop.example }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec:
  rules:
    - backendRefs: [{ group: postern.dev, kind: Upstream, name: shop }]
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: headers }
spec:
  url: oci://ghcr.io/postern/header-policy:1.0.0
  pluginConfig: ${pluginConfig}
`

let line: CommandLine
beforeEach(async () => {
  line = await commandLine({
    'sound.yaml': policy('{ response: { set: { x-mark: baseline } } }'),
    'refused.yaml': policy('{ response: { sett: {} } }'),
    'unknown.yaml': policy('{}').replace('1.0.0', '9.9.9'),
  })
  await mkdir(join(line.cwd, 'plugins'))
  await symlink(join(PLUGINS, 'header-policy'), join(line.cwd, 'plugins/header-policy'))
  await cp(join(PLUGINS, 'baseline.ts'), join(line.cwd, 'plugins/baseline.ts'))
})

const written = (): Promise<string> => readFile(join(line.cwd, 'plugins/baseline.ts'), 'utf8')

/** What the file that was written exports. */
async function exported(): Promise<{ hash: string; text: string } | undefined> {
  const source = (await written()).replace(/: \{ readonly .* \| undefined/, '')
  const url = `data:text/javascript,${encodeURIComponent(source)}`
  const module = (await import(url)) as { baseline: { hash: string; text: string } | undefined }
  return module.baseline
}

describe('postern baseline', () => {
  it('has plugins of the root namespace in all chains, as the gateway it is deployed with', async () => {
    const text = policy('{}').replace('name: headers', 'name: headers, namespace: platform')
    await writeFile(join(line.cwd, 'platform.yaml'), text)
    await line.postern('baseline', '-f', 'platform.yaml')
    expect((await exported())?.text).toContain('"name":"shop","namespace":"default","plugins":[]')
    await line.postern('baseline', '-f', 'platform.yaml', '--root-namespace', 'platform')
    expect((await exported())?.text).toContain(
      '"name":"shop","namespace":"default","plugins":["platform.headers"]',
    )
  })

  it('writes a snapshot that a gateway reads', async () => {
    const { exitCode, stdout } = await line.postern('baseline', '-f', 'sound.yaml')
    expect(exitCode).toBe(0)
    const { hash = '', text = '' } = (await exported()) ?? {}
    expect(stdout).toContain(hash)
    expect(hash).toBe(await sha256Hex(text))
    const read = await readSnapshot(text, hash)
    expect(read).toMatchObject({ found: { gatewayPlugins: ['default.headers'] } })
  })

  it('writes the same for the same files', async () => {
    await line.postern('baseline', '-f', 'sound.yaml')
    const first = await written()
    await line.postern('baseline', 'sound.yaml')
    expect(await written()).toBe(first)
  })

  it('refuses a plugin that does not start, with what it logged, and writes nothing', async () => {
    const before = await written()
    const { exitCode, stderr } = await line.postern('baseline', '-f', 'refused.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('plugin.preflight_refused')
    expect(stderr).toContain('unknown field `sett`')
    expect(await written()).toBe(before)
  })

  it('refuses a module that is not here, with its place', async () => {
    const before = await written()
    const { exitCode, stderr } = await line.postern('baseline', '-f', 'unknown.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/unknown\.yaml:\d+/)
    expect(stderr).toContain('config.module_unknown')
    expect(await written()).toBe(before)
  })

  it('takes it out again', async () => {
    await line.postern('baseline', '-f', 'sound.yaml')
    const { exitCode, stdout } = await line.postern('baseline', '--remove', '--json')
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { ok: true, snapshot: null }])
    expect(await exported()).toBeUndefined()
    expect(await written()).toBe(await readFile(join(PLUGINS, 'baseline.ts'), 'utf8'))
  })

  it.each([[[]], [['--remove', 'sound.yaml']], [['--what']]])(
    'is called wrongly with %j',
    async (args) => {
      expect((await line.postern('baseline', ...args)).exitCode).toBe(2)
    },
  )
})
