import { describe, expect, it } from 'vitest'
import { machine } from '../../support/machine.ts'
import { playPlugins } from '../../support/play.ts'
import { get, playShipped, refusal, shipped } from '../../support/shipped.ts'

const CONFIG = {
  experiment: 'checkout',
  variants: [
    { name: 'a', weight: 50 },
    { name: 'b', weight: 50 },
  ],
}
const COOKIE = /^ab_checkout=([ab]); Path=\/; Max-Age=2592000; SameSite=Lax; Secure; HttpOnly$/

describe('ab-cookie, a module of the AssemblyScript compiler', () => {
  it('draws a variant, tells the upstream, and sets the cookie that keeps it', async () => {
    const { sent, response } = await playShipped('ab-cookie', CONFIG)
    const [cookie] = response.headers.getSetCookie()
    const [, variant] = COOKIE.exec(cookie ?? '') ?? []
    expect(sent?.headers.get('x-variant')).toBe(variant)
    expect(variant).toMatch(/[ab]/)
  })

  it('keeps to a cookie and sets no new one', async () => {
    const request = get('/', { cookie: 'other=1; ab_checkout=b', 'x-variant': 'forged' })
    const { sent, response } = await playShipped('ab-cookie', CONFIG, { request })
    expect(sent?.headers.get('x-variant')).toBe('b')
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('draws again for a cookie of no variant', async () => {
    const request = get('/', { cookie: 'ab_checkout=zzz' })
    const { sent, response } = await playShipped('ab-cookie', CONFIG, { request })
    expect(sent?.headers.get('x-variant')).toMatch(/^[ab]$/)
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it("leaves the upstream's own cookies", async () => {
    const headers = new Headers([
      ['set-cookie', 'one=1'],
      ['set-cookie', 'two=2'],
    ])
    const { response } = await playShipped('ab-cookie', CONFIG, {
      response: new Response(null, { headers }),
    })
    expect(response.headers.getSetCookie()).toHaveLength(3)
  })

  it('draws by weight', async () => {
    const host = machine()
    const plugin = await shipped(host, 'ab-cookie', {
      ...CONFIG,
      variants: [
        { name: 'never', weight: 0 },
        { name: 'always', weight: 1 },
      ],
    })
    for (let i = 0; i < 50; i++) {
      const { sent } = await playPlugins(host, [plugin])
      expect(sent?.headers.get('x-variant')).toBe('always')
    }
    expect([plugin.state, host.pool.contexts]).toEqual(['running', 1])
  })

  it.each([{}, { ...CONFIG, variants: [] }, { ...CONFIG, unknown: 1 }])(
    'refuses %j',
    async (configuration) => {
      await expect(refusal('ab-cookie', configuration)).resolves.toMatch(
        /^plugin\.configure_refused: \S/,
      )
    },
  )
})
