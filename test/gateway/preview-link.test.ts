/** How previews are asked for: `postern rollout preview`, the admin API, and the link that a browser opens. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PreviewTokens } from '../../src/rollout/preview-token.ts'
import { type CommandResult, commandLine } from '../support/command-line.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { upstreamAndRoute } from '../support/policy.ts'
import { marking, ROLLOUT_SECRET, rolloutTo } from '../support/rollouts.ts'
import { ADMIN_TOKEN } from '../support/workerd.ts'

const vars = { ROLLOUT_SECRET, REFRESH_SECONDS: '0.2', ADMIN_READ_TOKEN: 'a token that reads' }

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway({ vars })
  await apply(gateway)
})
afterAll(() => gateway.stop())

function apply(to: TestGateway): Promise<number> {
  const plugins = ['mark', 'tag'].flatMap((name) => [
    marking(name, 'old'),
    rolloutTo(name, marking(name, 'new')),
  ])
  return to.policy(upstreamAndRoute(to.origin.url), plugins)
}

async function postern(...args: string[]): Promise<CommandResult> {
  const line = await commandLine({}, { fetch })
  const where = ['--gateway', gateway.url, '--token', ADMIN_TOKEN]
  return line.postern('rollout', 'preview', ...args, ...where)
}

interface Asked {
  readonly token: string
  readonly until: string
  readonly header: string
  readonly link: string
}

async function asked(...args: string[]): Promise<Asked> {
  const { stdout, exitCode } = await postern(...args, '--json')
  expect(exitCode).toBe(0)
  return JSON.parse(stdout) as Asked
}

const seen = async (headers: Record<string, string>): Promise<(string | null)[]> => {
  const response = await gateway.fetch('/', { headers })
  await response.arrayBuffer()
  return [response.headers.get('x-mark'), response.headers.get('x-tag')]
}

const opened = (link: string, cookie?: string): Promise<Response> =>
  fetch(link, { headers: cookie === undefined ? {} : { cookie } })

const cookieIn = (response: Response): string =>
  response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''

describe('postern rollout preview', () => {
  it('prints a token, the header of a till and the link of a browser', async () => {
    const before = Date.now()
    const { token, until, header, link } = await asked('mark-next', '--for', '30m')
    expect(header).toBe(`x-postern-preview: ${token}`)
    expect(link).toBe(`${gateway.url}/-/preview?token=${token}`)
    expect(Date.parse(until) - before).toBeGreaterThanOrEqual(30 * 60_000)
    expect(Date.parse(until) - before).toBeLessThan(31 * 60_000)
    await expect.poll(() => seen({ 'x-postern-preview': token })).toEqual(['new', 'old'])
    const { stdout } = await postern('default.mark-next')
    expect(stdout).toMatch(
      /^Whoever sends this token gets the candidate of default\.mark-next until/,
    )
    expect(stdout).toMatch(/-H 'x-postern-preview: \w+\.candidate\.default\.mark-next\.[\w-]{22}'/)
    expect(stdout).not.toContain(ROLLOUT_SECRET)
  })

  it('is refused for what is not there, and for longer than a day', async () => {
    expect(await postern('nothing')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/rollout\.unknown/),
    })
    for (const wrong of [
      ['--for', '25h'],
      ['--for', '0s'],
      ['--for', 'soon'],
      ['--side', 'left'],
    ]) {
      expect(await postern('mark-next', ...wrong)).toMatchObject({ exitCode: 2 })
    }
    expect(await postern()).toMatchObject({ exitCode: 2 })
  })
})

describe('the admin API', () => {
  const ask = (body: object, init: RequestInit = {}): Promise<Response> =>
    gateway.admin('/-/rollouts/preview', { method: 'POST', body: JSON.stringify(body), ...init })

  it('gives tokens to who may write alone, for a day at the most', async () => {
    const rollout = 'default.mark-next'
    expect((await ask({ rollout })).status).toBe(200)
    const reader = { authorization: `Bearer ${vars.ADMIN_READ_TOKEN}` }
    expect((await ask({ rollout }, { headers: reader })).status).toBe(403)
    const nobody = await fetch(`${gateway.url}/-/rollouts/preview`, { method: 'POST', body: '{}' })
    expect(nobody.status).toBe(401)
    for (const wrong of [
      {},
      { rollout, seconds: 86_401 },
      { rollout, seconds: 0 },
      { rollout, x: 1 },
    ]) {
      expect((await ask(wrong)).status).toBe(400)
    }
  })

  it('says so where there is no secret', async () => {
    const bare = await startGateway({ vars: { ROLLOUT_SECRET: undefined } })
    try {
      const body = JSON.stringify({ rollout: 'default.mark-next' })
      const answer = await bare.admin('/-/rollouts/preview', { method: 'POST', body })
      expect(answer.status).toBe(503)
      expect(await answer.text()).toContain('rollout.no_secret')
      expect((await bare.fetch('/-/preview?token=a')).status).toBe(403)
    } finally {
      await bare.stop()
    }
  })
})

describe('the link', () => {
  it('keeps the token in the browser until it is over, and another beside it', async () => {
    const [mark, tag] = [await asked('mark-next', '--for', '60s'), await asked('tag-next')]
    const first = await opened(mark.link)
    expect(first.status).toBe(200)
    expect(first.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^postern-preview=${mark.token}; Path=/; Max-Age=(59|60); HttpOnly; SameSite=Lax$`,
        ),
      ),
    ])
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.headers.get('referrer-policy')).toBe('no-referrer')
    expect(await first.text()).toMatch(
      /^This browser gets the candidate of default\.mark-next until .*\nTo end it: http:.*\/-\/preview\?off\n$/,
    )
    expect(await seen({ cookie: cookieIn(first) })).toEqual(['new', 'old'])
    const both = await opened(tag.link, cookieIn(first))
    expect(both.headers.getSetCookie()[0]).toMatch(/Max-Age=3[56]\d\d;/)
    expect(await seen({ cookie: cookieIn(both) })).toEqual(['new', 'new'])
    const { link } = await asked('mark-next', '--side', 'stable')
    const other = await opened(link, cookieIn(both))
    expect(await other.text()).toMatch(/the stable version of default\.mark-next/)
    expect(await seen({ cookie: cookieIn(other) })).toEqual(['old', 'new'])
    expect(cookieIn(other)).not.toContain(mark.token)
  })

  it('lets go of them', async () => {
    const off = await opened(`${gateway.url}/-/preview?off`)
    expect(off.headers.getSetCookie()).toEqual([
      'postern-preview=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    ])
  })

  it('does nothing with a token that is not good', async () => {
    const over = await new PreviewTokens(ROLLOUT_SECRET).issue(
      { rollout: 'default.mark-next', side: 'candidate' },
      Date.now() - 61_000,
      60_000,
    )
    for (const wrong of [`token=${over}`, 'token=a.b.c', 'token', '']) {
      const answer = await opened(`${gateway.url}/-/preview?${wrong}`)
      expect(answer.status).toBe(403)
      expect(answer.headers.getSetCookie()).toEqual([])
      expect(await answer.text()).toContain('rollout.preview_invalid')
    }
  })

  it('works under every host where the admin API has one; what is no token is for the routes', async () => {
    const shop = await startGateway({ vars: { ...vars, ADMIN_HOST: '127.0.0.1' } })
    try {
      await apply(shop)
      shop.origin.answer((exchange) => exchange.reply(200, [], `origin ${exchange.target}`))
      const elsewhere = shop.url.replace('127.0.0.1', 'localhost')
      const text = async (path: string): Promise<string> =>
        (await fetch(`${elsewhere}${path}`)).text()
      const token = await new PreviewTokens(ROLLOUT_SECRET).issue(
        { rollout: 'default.mark-next', side: 'candidate' },
        Date.now(),
        60_000,
      )
      expect(await text(`/-/preview?token=${token}`)).toMatch(/^This browser gets the candidate/)
      for (const path of [`/-/preview?token=x${token}`, '/-/preview', '/-/status']) {
        expect(await text(path)).toBe(`origin ${path}`)
      }
    } finally {
      await shop.stop()
    }
  })
})
