/** `postern apply` against a gateway in this process: what it does, and trouble on the way. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.ts'
import { TOKEN } from '../support/in-process-gateway.ts'
import { plugin, policyFolder, ROUTES, WASM, WASM_SHA } from '../support/policy-folder.ts'

describe('postern apply', () => {
  it('writes a policy, waits until the gateway runs it and says so', async () => {
    const { postern, gateway } = await policyFolder()
    const result = await postern('apply', '-f', 'policy', '--why', 'first')
    expect(result).toEqual({
      exitCode: 0,
      stdout: [
        '+ plugin default.headers',
        '    module header-policy 1.0.0 (aaaaaaaaaaaa)',
        '    phase UNSPECIFIED_PHASE, priority 0, FAIL_CLOSE',
        '+ route default/shop',
        '    hosts: every host',
        '    any method PathPrefix / to shop',
        '    chain: default.headers',
        '+ upstream shop',
        '    service SHOP',
        '~ gateway default',
        '    chain without a route: no plugins → default.headers',
        'Revision 1 runs at http://127.0.0.1:8787.',
        '',
      ].join('\n'),
      stderr:
        'policy/routes.yaml:10:16: warning: spec.parentRefs[0]: has no effect here: there is no Gateway edge; the default Gateway takes the route [config.no_effect]\n' +
        'Revision 1 is written; waiting for the gateway…\n',
    })
    expect(gateway.running()?.routes).toHaveLength(1)
    expect(JSON.parse(gateway.values.get('revision.1') ?? '')).toMatchObject({
      by: 'ann',
      why: 'first',
    })
  })

  it('flips a version with one file and leaves the rest as it is', async () => {
    const { postern, gateway, write } = await policyFolder()
    await postern('apply', '-f', 'policy')
    await write('next.yaml', plugin('oci://r.test/header-policy:1.1.0'))
    const result = await postern('apply', '-f', 'next.yaml')
    expect(result.stdout).toBe(
      '~ plugin default.headers\n' +
        '    module header-policy 1.0.0 (aaaaaaaaaaaa) → header-policy 1.1.0 (bbbbbbbbbbbb)\n' +
        'Revision 2 runs at http://127.0.0.1:8787.\n',
    )
    expect(gateway.running()?.routes).toHaveLength(1)
  })

  it('finds nothing to change in what runs already', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('apply', '-f', 'policy')
    expect([exitCode, stdout]).toEqual([0, 'Nothing changes.\n'])
  })

  it('only shows what would change with --dry-run', async () => {
    const { postern, gateway } = await policyFolder()
    const { exitCode, stdout } = await postern('apply', '-f', 'policy', '--dry-run')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('+ route default/shop')
    expect(stdout).toContain('Nothing was written.')
    expect(gateway.values.size).toBe(0)
  })

  it('shows what a plugin logs while it is tried, though it starts', async () => {
    const { postern, gateway } = await policyFolder()
    gateway.preflight = [
      { plugin: 'default.headers', ok: true, logs: ['warn: set is deprecated'] },
      { plugin: 'default.other', ok: true, logs: [] },
    ]
    const { exitCode, stderr } = await postern('apply', '-f', 'policy')
    expect(exitCode).toBe(0)
    expect(stderr).toContain('default.headers starts, and says:\n    warn: set is deprecated\n')
    expect(stderr).not.toContain('default.other')
  })

  it('drops what is not in the files with --prune', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { stdout } = await postern('apply', '-f', 'policy/headers.yaml', '--prune')
    expect(stdout).toContain('- route default/shop')
    expect(gateway.running()?.routes).toEqual([])
  })

  it('prints one JSON value with --json', async () => {
    const { postern } = await policyFolder()
    const { stdout } = await postern('apply', '-f', 'policy', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      result: 'applied',
      revision: 1,
      changes: [{ what: 'plugin' }, { what: 'route' }, { what: 'upstream' }, { what: 'gateway' }],
      refusals: [],
    })
  })

  it('pins a file:// module to the sha256 of the file', async () => {
    const { postern, gateway, write } = await policyFolder({ 'policy/mine.wasm': WASM })
    await write('policy/headers.yaml', plugin('file://mine.wasm'))
    expect((await postern('apply', '-f', 'policy')).exitCode).toBe(0)
    expect(gateway.running()?.plugins['default.headers']?.module).toBe(WASM_SHA)
  })
})

describe('trouble on the way', () => {
  it('names a gateway that does not answer', async () => {
    const { postern } = await commandLine(
      { 'p.yaml': ROUTES },
      { env: { ADMIN_TOKEN: TOKEN, PORT: '9999' } },
    )
    const { exitCode, stderr } = await postern('apply', '-f', 'p.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toBe(
      'http://127.0.0.1:9999 did not answer: connect ECONNREFUSED [gateway.unreachable]\n' +
        'Start the gateway, or name another with --gateway.\n',
    )
  })

  it('says what to do about a wrong token, and never shows it', async () => {
    const { postern, gateway } = await policyFolder()
    const { exitCode, stderr } = await postern('apply', '-f', 'policy', '--token', 'wr0ng')
    expect([exitCode, gateway.values.size]).toEqual([1, 0])
    expect(stderr).toContain('[admin.unauthorized]')
    expect(stderr).not.toContain('wr0ng')
  })

  it('asks for a token where there is none, before it asks the gateway', async () => {
    const { postern, gateway, cwd } = await policyFolder()
    await rm(join(cwd, '.dev.vars'))
    const { exitCode, stderr } = await postern('apply', '-f', 'policy')
    expect([exitCode, gateway.asked]).toEqual([1, []])
    expect(stderr).toContain('no admin token')
  })

  it.each(['https://gateway.example', 'https://127.0.0.1.example', 'http://10.0.0.7:8787'])(
    'keeps the token of .dev.vars from %s',
    async (url) => {
      const { postern, gateway } = await policyFolder()
      const { exitCode, stderr } = await postern('apply', '-f', 'policy', '--gateway', url)
      expect([exitCode, gateway.asked]).toEqual([1, []])
      expect(stderr).toContain(
        `no admin token for ${url}: give it as --token or in the variable ADMIN_TOKEN`,
      )
    },
  )

  it.each(['http://localhost:8787', 'http://127.1:8787', 'http://[::1]:8787'])(
    'sends the token of .dev.vars to %s',
    async (url) => {
      const { postern, gateway } = await policyFolder()
      const { exitCode } = await postern('apply', '-f', 'policy', '--gateway', url)
      expect([exitCode, gateway.asked.length > 0]).toEqual([0, true])
    },
  )

  it('warns when the token would travel unencrypted', async () => {
    const { postern } = await policyFolder()
    const to = ['--gateway', 'http://shop.test', '--token', 'theirs']
    const { stderr } = await postern('apply', '-f', 'policy', ...to)
    expect(stderr).toContain('Warning: the token goes to http://shop.test unencrypted')
  })

  it('tells who comes second that somebody else applied', async () => {
    const { postern, gateway, write } = await policyFolder()
    await postern('apply', '-f', 'policy')
    await write('next.yaml', plugin('oci://r.test/header-policy:1.1.0'))
    gateway.before = async () => {
      // Between the plan and the change.
      if (gateway.asked.filter((one) => one === 'POST /-/apply').length !== 4) return
      gateway.before = undefined
      const other = { resources: [], base: 1, prune: true }
      await gateway.fetch('http://x/-/apply', {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(other),
      })
    }
    const { exitCode, stderr } = await postern('apply', '-f', 'next.yaml')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Somebody else applied meanwhile: revision 2 is active.')
    expect(stderr).toContain('[apply.conflict]')
  })

  it('says so when the gateway does not take the revision in time', async () => {
    const { postern, gateway, write } = await policyFolder()
    await postern('apply', '-f', 'policy')
    await write('next.yaml', plugin('oci://r.test/header-policy:1.1.0'))
    const pointer = gateway.values.get('active') ?? ''
    gateway.before = () => {
      // The gateway's location still shows the old pointer.
      if (gateway.asked.at(-1) === 'POST /-/refresh') gateway.values.set('active', pointer)
    }
    const { exitCode, stderr } = await postern('apply', '-f', 'next.yaml', '--timeout', '0.3')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('still runs 1 after 0.3 s [apply.timeout]')
  })

  it('says so when the gateway refuses what was written', async () => {
    const { postern, gateway } = await policyFolder()
    gateway.before = () => {
      const key = [...gateway.values.keys()].find((one) => one.startsWith('snapshot.'))
      if (gateway.asked.at(-1) === 'POST /-/refresh' && key) gateway.values.set(key, '{}')
    }
    const { exitCode, stderr } = await postern('apply', '-f', 'policy')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('refuses it (config.snapshot_hash)')
  })

  it('names an address that is no gateway', async () => {
    const { postern } = await commandLine(
      { 'p.yaml': ROUTES },
      { env: { ADMIN_TOKEN: TOKEN }, fetch: () => Promise.resolve(new Response('<html>')) },
    )
    const { exitCode, stderr } = await postern('apply', '-f', 'p.yaml')
    expect([exitCode, stderr.includes('[gateway.bad_answer]')]).toEqual([1, true])
  })
})
