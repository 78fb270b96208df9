/** `postern rollback` and `postern history` against a gateway in this process. */
import { describe, expect, it } from 'vitest'
import { plugin, policyFolder } from '../support/policy-folder.ts'
import type { PolicyFolder } from '../support/policy-folder.ts'

/** Revision 1: 1.0.0, revision 2: 1.1.0. */
async function twoRevisions(): Promise<PolicyFolder> {
  const here = await policyFolder()
  await here.postern('apply', '-f', 'policy', '--why', 'first')
  await here.write('next.yaml', plugin('oci://r.test/header-policy:1.1.0'))
  await here.postern('apply', '-f', 'next.yaml', '--why', 'ticket 7')
  return here
}

const version = ({ gateway }: PolicyFolder): string | undefined =>
  gateway.running()?.plugins['default.headers']?.moduleVersion

describe('postern rollback', () => {
  it('brings back what ran before, and says what that changes', async () => {
    const here = await twoRevisions()
    const { exitCode, stdout } = await here.postern('rollback', '--why', 'ticket 8')
    expect([exitCode, stdout]).toEqual([
      0,
      '~ plugin default.headers\n' +
        '    module header-policy 1.1.0 (bbbbbbbbbbbb) → header-policy 1.0.0 (aaaaaaaaaaaa)\n' +
        'Revision 3 runs at http://127.0.0.1:8787.\n',
    ])
    expect(version(here)).toBe('1.0.0')
  })

  it('goes to the revision that is named', async () => {
    const here = await twoRevisions()
    await here.postern('rollback')
    expect((await here.postern('rollback', '2')).stdout).toContain('Revision 4 runs')
    expect(version(here)).toBe('1.1.0')
  })

  it('writes nothing with --dry-run', async () => {
    const here = await twoRevisions()
    const before = [...here.gateway.values]
    const { exitCode, stdout } = await here.postern('rollback', '1', '--dry-run')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('→ header-policy 1.0.0')
    expect(stdout).toContain('Nothing was written.')
    expect([...here.gateway.values]).toEqual(before)
  })

  it('changes nothing when that runs already', async () => {
    const here = await twoRevisions()
    expect(await here.postern('rollback', '2')).toMatchObject({
      exitCode: 0,
      stdout: 'Nothing changes.\n',
    })
  })

  it('names the revisions there are when the one it is to go to is none of them', async () => {
    const here = await twoRevisions()
    const { exitCode, stderr } = await here.postern('rollback', '9')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('there is no record of revision 9; known: 2, 1')
    expect(stderr).toContain('[rollback.unknown_revision]\nRun `postern history`')
  })

  it('shows why a plugin does not start any more', async () => {
    const here = await twoRevisions()
    here.gateway.preflight = [
      { plugin: 'default.headers', ok: false, reason: 'trapped', logs: ['panicked at lib.rs:1'] },
    ]
    const { exitCode, stderr } = await here.postern('rollback')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('default.headers did not start: trapped\n    panicked at lib.rs:1\n')
    expect(version(here)).toBe('1.1.0')
  })

  it('tells whoever comes second what the other one did', async () => {
    const here = await twoRevisions()
    const { gateway, postern } = here
    gateway.before = async () => {
      // between the plan and the change
      if (gateway.asked.filter((one) => one === 'POST /-/rollback').length !== 2) return
      gateway.before = undefined
      await postern('apply', '-f', 'policy/routes.yaml', '--prune', '--why', 'ticket 9')
    }
    const { exitCode, stderr } = await postern('rollback')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('Somebody else applied meanwhile: revision 3 is active.\nBy ann at ')
    expect(stderr).toContain(': ticket 9.\n    - plugin default.headers\n')
    expect(stderr).toContain('Nothing of yours was written')
    expect(gateway.running()?.plugins).toEqual({})
  })

  it.each([
    ['0'],
    ['-1'],
    ['one'],
    ['1', '2'],
    ['1', '--wait', '--no-wait'],
    ['1', '--expires', '1d'],
  ])('is called wrongly with %j', async (...args) => {
    const { postern } = await policyFolder()
    expect(await postern('rollback', ...args)).toMatchObject({ exitCode: 2, stdout: '' })
  })
})

describe('postern history', () => {
  it('lists revisions, the newest first', async () => {
    const here = await twoRevisions()
    await here.postern('rollback')
    const { exitCode, stdout } = await here.postern('history')
    expect(exitCode).toBe(0)
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|'))
    expect(lines[0]).toBe('|REVISION|AT|BY|SNAPSHOT|SIGNED BY|CHANGED|WHY')
    expect(
      lines.slice(1, 4).map((line) => line.replaceAll(/\d{4}-[^|]*Z|[0-9a-f]{12}/g, '…')),
    ).toEqual([
      '* 3|…|ann|…|-|back to 1: ~ plugin default.headers',
      '| 2|…|ann|…|-|~ plugin default.headers|ticket 7'.replace('| ', '|'),
      '|1|…|ann|…|-|+ plugin default.headers and 3 more|first',
    ])
  })

  it('shows one revision whole', async () => {
    const here = await twoRevisions()
    const { stdout } = await here.postern('history', '2')
    expect(stdout).toMatch(/^revision 2, \S+Z, by ann\nwhy: ticket 7\nsnapshot [0-9a-f]{64}\n/)
    expect(stdout).toContain('~ plugin default.headers\n    module header-policy 1.0.0')
    expect(await here.postern('history', '7')).toMatchObject({ exitCode: 1, stdout: '' })
  })

  it('prints one JSON value with --json', async () => {
    const here = await twoRevisions()
    const { stdout } = await here.postern('history', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      revision: 2,
      revisions: [
        { revision: 2, by: 'ann', why: 'ticket 7', changed: 1, changes: [{ how: 'changed' }] },
        { revision: 1, why: 'first', changed: 4 },
      ],
    })
  })

  it('is empty before the first revision', async () => {
    const { postern } = await policyFolder()
    expect(await postern('history')).toMatchObject({
      exitCode: 0,
      stdout: 'There is no revision yet.\n',
    })
  })
})
