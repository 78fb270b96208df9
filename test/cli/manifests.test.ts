/** Manifests under `plugins/` that cannot be read: whom they stop, and what is said. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { plugin, policyFolder } from '../support/policy-folder.ts'

describe('a plugin.json that is half written', () => {
  it('does not stop the policy that names other plugins', async () => {
    const { postern, gateway } = await policyFolder({ 'plugins/auth/plugin.json': '{"name": "au' })
    const { exitCode, stdout, stderr } = await postern('apply', '-f', 'policy')
    expect(stderr).not.toContain('auth')
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Revision 1 runs')])
    expect(gateway.running()?.routes).toHaveLength(1)
  })

  it('is what is wrong with a resource that names its plugin', async () => {
    const { postern, gateway } = await policyFolder({
      'plugins/auth/plugin.json': '{"name": "au',
      'p.yaml': plugin('oci://r.test/auth:1.0.0'),
    })
    const { exitCode, stderr } = await postern('apply', '-f', 'p.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^p\.yaml:6:8: error: spec\.url: .*plugins\/auth\/plugin\.json is no JSON: .* \[config\.module_unknown\]$/m,
    )
    expect(gateway.values.size).toBe(0)
  })

  it('does not stop its plugin either where the gateway has it', async () => {
    const { postern } = await policyFolder({ 'plugins/header-policy/plugin.json': '{' })
    const { exitCode } = await postern('apply', '-f', 'policy')
    expect(exitCode).toBe(0)
  })

  it('is named where a url might have led to it', async () => {
    const { postern } = await policyFolder({
      'plugins/auth/plugin.json': '{"name": "auth", "versions": [{}]}',
      'p.yaml': plugin('https://files.test/some.wasm'),
    })
    const { stderr } = await postern('validate', '-f', 'p.yaml')
    expect(stderr).toContain('no module is registered under this url')
    expect(stderr).toMatch(/What could not be read: .*auth\/plugin\.json: versions\.0\.version/)
  })
})

describe('the examples', () => {
  it.each(['examples/retail', 'examples/retail-upgrade', 'examples/miniflare-test'])(
    '%s is a folder that can be applied',
    async (folder) => {
      let said = ''
      const exitCode = await run(['validate', '-f', folder], {
        cwd: join(import.meta.dirname, '../..'),
        env: {},
        stdout: (text) => void (said += text),
        stderr: (text) => void (said += text),
        fetch: () => Promise.reject(new Error('no network')),
        stdin: () => Promise.resolve(new Uint8Array()),
      })
      expect([exitCode, said]).toEqual([0, expect.stringContaining('0 errors')])
    },
  )
})
