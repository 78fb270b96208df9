/** `postern status`, help, and commands called wrongly. */
import { describe, expect, it } from 'vitest'
import { TOKEN } from '../support/in-process-gateway.ts'
import { BOUND, policyFolder } from '../support/policy-folder.ts'

describe('postern status', () => {
  it('shows what runs', async () => {
    const { postern, gateway } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('status')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8787 runs revision 1, issued \d{4}-/)
    expect(stdout).toContain('default.headers  header-policy 1.0.0  aaaaaaaaaaaa  idle')
    expect(stdout).not.toContain('REFUSED')
    gateway.values.set('active', '{')
    await gateway.fetch('http://x/-/refresh', {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    const after = await postern('status')
    expect(after.exitCode).toBe(0)
    expect(after.stdout).toContain('config.pointer_invalid  active: not JSON (1 characters)')
  })

  it('exits with 1 for a gateway that runs nothing', async () => {
    const { postern } = await policyFolder()
    const { exitCode, stdout } = await postern('status')
    expect([exitCode, stdout.includes('runs nothing')]).toEqual([1, true])
  })

  it('passes the answer on with --json', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { stdout } = await postern('status', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ revision: 1, modules: BOUND })
  })
})

describe('called wrongly', () => {
  it.each([
    [['apply']],
    [['apply', '-f', 'policy', '--force']],
    [['apply', '-f', 'policy', '--timeout', 'soon']],
    [['apply', '-f', 'policy', '--gateway', 'shop']],
    [['status', 'now']],
    [['frobnicate']],
    [[]],
  ])('exits with 2: postern %j', async (argv) => {
    const { postern, gateway } = await policyFolder()
    expect((await postern(...argv)).exitCode).toBe(2)
    expect(gateway.asked).toEqual([])
  })

  it.each([[['--help']], [['apply', '--help']], [['status', '-h']], [['add', '--help']]])(
    'prints help: postern %j',
    async (argv) => {
      const { postern } = await policyFolder()
      const { exitCode, stdout } = await postern(...argv)
      expect([exitCode, stdout.startsWith('postern ')]).toEqual([0, true])
    },
  )
})
