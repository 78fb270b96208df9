/** `postern diff`: what would change, in an operator's words, and an exit code that says whether. */
import { describe, expect, it } from 'vitest'
import { plugin, policyFolder } from '../support/policy-folder.ts'

describe('postern diff', () => {
  it('shows everything as added before the first revision', async () => {
    const { postern, gateway } = await policyFolder()
    const { exitCode, stdout } = await postern('diff', '-f', 'policy')
    expect(exitCode).toBe(3)
    expect(stdout).toContain('+ plugin default.headers\n    module header-policy 1.0.0')
    expect(stdout).toContain('4 changes to revision 0 at http://127.0.0.1:8787.')
    expect(gateway.values.size).toBe(0)
  })

  it('exits with 0 when nothing would change', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('diff', '-f', 'policy')
    expect([exitCode, stdout]).toEqual([
      0,
      'Nothing differs from revision 1 at http://127.0.0.1:8787.\n',
    ])
  })

  it('shows old and new values, a configuration by key, and no secret', async () => {
    const { postern, gateway, write } = await policyFolder()
    const config = (limit: number, key: string): string =>
      plugin(
        'oci://r.test/header-policy:1.0.0',
        `  priority: ${limit}\n  pluginConfig: { limit: ${limit}, key: ${key} }\n`,
      )
    await write('policy/headers.yaml', config(1, 's3cret-one'))
    await postern('apply', '-f', 'policy')
    const before = [...gateway.values]
    await write('policy/headers.yaml', config(2, 's3cret-two'))
    const { exitCode, stdout, stderr } = await postern('diff', '-f', 'policy')
    expect([exitCode, stdout]).toEqual([
      3,
      [
        '~ plugin default.headers',
        '    configuration.key changed',
        '    configuration.limit 1 → 2',
        '    priority 1 → 2',
        '1 change to revision 1 at http://127.0.0.1:8787.',
        '',
      ].join('\n'),
    ])
    expect(stdout + stderr).not.toContain('s3cret')
    expect([...gateway.values]).toEqual(before)
  })

  it('shows what --prune would drop', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('diff', '-f', 'policy/headers.yaml', '--prune')
    expect(exitCode).toBe(3)
    expect(stdout).toContain('- route default/shop\n- upstream shop\n')
  })

  it('prints one JSON value with --json', async () => {
    const { postern } = await policyFolder()
    const added = await postern('diff', '-f', 'policy', '--json')
    expect(JSON.parse(added.stdout)).toMatchObject({
      ok: true,
      changed: true,
      revision: 0,
      changes: [
        { what: 'plugin', name: 'default.headers', how: 'added' },
        { what: 'route' },
        { what: 'upstream' },
        { what: 'gateway' },
      ],
    })
    await postern('apply', '-f', 'policy')
    const same = await postern('diff', '-f', 'policy', '--json')
    expect(JSON.parse(same.stdout)).toMatchObject({ ok: true, changed: false, changes: [] })
  })

  it('says that an apply would be refused, and what a plugin logged', async () => {
    const { postern, gateway, write } = await policyFolder()
    gateway.preflight = [
      { plugin: 'default.headers', ok: false, reason: 'no', logs: ['set: no list'] },
    ]
    const trial = await postern('diff', '-f', 'policy')
    expect(trial.exitCode).toBe(1)
    expect(trial.stderr).toContain('default.headers did not start: no\n    set: no list\n')
    await write('policy/headers.yaml', plugin('oci://r.test/header-policy:7.0.0'))
    expect(await postern('diff', '-f', 'policy')).toMatchObject({ exitCode: 1, stdout: '' })
  })
})
