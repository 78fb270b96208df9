/** `postern explain` of a gateway without vms: what is said of routes and plugins, and of calls that are wrong. */
import { describe, expect, it } from 'vitest'
import { policyFolder } from '../support/policy-folder.ts'

const URL = ['--url', 'http://shop.example/cart?token=abcdef'] as const

describe('postern explain', () => {
  it('shows route, upstream and plugins of what runs, and of what ran', async () => {
    const { postern } = await policyFolder()
    await postern('apply', '-f', 'policy')
    const { exitCode, stdout } = await postern('explain', ...URL)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('GET http://shop.example/cart?token=***\n')
    expect(stdout).toContain(
      'route default/shop, rule 0: PathPrefix /\n  to shop  service SHOP  100 %\n',
    )
    expect(stdout).toMatch(/^default\.headers {2}header-policy 1\.0\.0 {2}UNSPECIFIED_PHASE {2}0 /m)
    expect((await postern('explain', ...URL, '--at', '1')).stdout).toBe(stdout)
  })

  it('exits with 1 and says why when there is nothing to explain', async () => {
    const { postern } = await policyFolder()
    const { exitCode, stderr } = await postern('explain', ...URL)
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('[config.none]')])
    await postern('apply', '-f', 'policy')
    const older = await postern('explain', ...URL, '--at', '7', '--json')
    expect(older.exitCode).toBe(1)
    expect(JSON.parse(older.stdout)).toMatchObject({
      ok: false,
      error: { code: 'explain.revision_unknown' },
    })
    const known = await postern('explain', ...URL, '--json')
    expect(JSON.parse(known.stdout)).toMatchObject({ ok: true, route: { name: 'default/shop' } })
    const method = await postern('explain', ...URL, '--method', 'TWO WORDS')
    expect([method.exitCode, method.stderr]).toEqual([
      1,
      expect.stringContaining('[config.request_invalid]'),
    ])
  })

  it.each([
    [[]],
    [['--url']],
    [[...URL, '--upstream']],
    [[...URL, '--at', '0']],
    [[...URL, '--header', ': no name']],
    [[...URL, 'more']],
  ])('exits with 2 when it is called with %j', async (argv) => {
    const { postern, gateway } = await policyFolder()
    expect((await postern('explain', ...argv)).exitCode).toBe(2)
    expect(gateway.asked).toEqual([])
  })

  it('prints help', async () => {
    const { postern } = await policyFolder()
    const { exitCode, stdout } = await postern('explain', '--help')
    expect([exitCode, stdout.startsWith('postern explain')]).toEqual([0, true])
  })
})
