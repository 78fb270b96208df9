/** Tokens of Cloudflare Access, checked against a team's keys on a server of its own. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AccessToken } from '../src/admin/access-token.ts'
import { AccessTeam, AUDIENCE } from './support/access-team.ts'

const MINUTE = 60_000
let team: AccessTeam
beforeEach(async () => (team = await AccessTeam.start()))
afterEach(() => team.stop())

let later = 0
beforeEach(() => (later = 0))

function access(writers: readonly string[] = []): AccessToken {
  const now = (): number => Date.now() + later
  return new AccessToken({ team: team.url, audience: AUDIENCE, writers, now })
}

describe('a token of the team', () => {
  it('says who it is, and may read', async () => {
    const caller = { role: 'read', name: 'ann@acme.example' }
    expect(await access().check(await team.token())).toEqual({ caller })
  })

  it.each([
    ['an address', 'Ann@Acme.example', {}],
    ['a domain', '@acme.example', {}],
    ['a group', 'group:platform', { custom: { groups: ['shop', 'platform'] } }],
    ['the only group', 'group:platform', { custom: { groups: 'platform' } }],
    [
      'a service token',
      'service:id.access',
      { email: undefined, common_name: 'id.access', sub: '' },
    ],
  ])('may write when the writers have it: %s', async (_what, writer, claims) => {
    const result = await access([writer]).check(await team.token({ claims }))
    expect(result).toMatchObject({ caller: { role: 'write' } })
  })

  it.each([
    ['another address', 'bob@acme.example', {}],
    ['an address of which this is the end', 'n@acme.example', {}],
    ['another domain', '@example', {}],
    ['a group it is not in', 'group:platform', { custom: { groups: ['platform-readers'] } }],
    ['a group of the name of its address', 'group:ann@acme.example', {}],
    [
      'an address in the place of a service',
      'id.access',
      { email: undefined, common_name: 'id.access' },
    ],
    ['a service of the name that somebody gave himself', 'service:id', { common_name: 'id' }],
    ['nobody in particular', '@', { email: undefined }],
  ])('may not write when the writers have %s', async (_what, writer, claims) => {
    const result = await access([writer]).check(await team.token({ claims }))
    expect(result).toMatchObject({ caller: { role: 'read' } })
  })
})

describe('a token is refused', () => {
  it.each([
    ['that has expired', { expiresIn: -10 }, 'expired'],
    ['for another application', { audience: 'f'.repeat(64) }, 'its aud'],
    ['of another issuer', { issuer: 'https://other.cloudflareaccess.com' }, 'its iss'],
    ['signed with the public key', { algorithm: 'HS256' }, 'not one that the team has signed'],
    ['of a key that the team does not have', { kid: 'x' }, 'not one that the team has signed'],
  ] as const)('%s', async (_what, options, why) => {
    const result = await access(['@acme.example']).check(await team.token(options))
    expect(result).toEqual({ wrong: expect.stringContaining(why) as string })
  })

  it('of another team that names the key of this one', async () => {
    const other = await AccessTeam.start()
    try {
      const token = await team.token({ signedBy: other, kid: team.key.kid })
      expect(await access().check(token)).toHaveProperty('wrong')
    } finally {
      await other.stop()
    }
  })

  it('whose claims were changed', async () => {
    const [head, , signature] = (await team.token()).split('.')
    const claims = { email: 'root@acme.example', aud: AUDIENCE, iss: team.url, exp: 4e9 }
    const token = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature]
    expect(await access().check(token.join('.'))).toHaveProperty('wrong')
  })

  it.each(['', 'x', 'a.b.c', `${btoa('{"alg":"none"}')}.${btoa('{}')}.`])(
    'that is none: %j',
    async (token) => {
      expect(await access().check(token)).toHaveProperty('wrong')
    },
  )

  it('that never expires', async () => {
    const token = await team.token({ expiresIn: null })
    expect(await access().check(token)).toEqual({ wrong: expect.stringContaining('exp') as string })
  })

  it('before its time', async () => {
    const nbf = Math.floor(Date.now() / 1000) + 60
    const token = await team.token({ claims: { nbf } })
    expect(await access().check(token)).toEqual({ wrong: expect.stringContaining('nbf') as string })
  })

  it('that is for several applications, this one not among them', async () => {
    const token = await team.token({ audience: `${AUDIENCE}0` })
    expect(await access().check(token)).toHaveProperty('wrong')
  })

  it('a few seconds after its time, and not before', async () => {
    const token = await team.token()
    later = 50_000
    expect(await access().check(token)).toHaveProperty('caller')
    later = 70_000
    expect(await access().check(token)).toEqual({ wrong: 'the Access token has expired' })
  })
})

describe('the keys of the team', () => {
  it('are read once and kept', async () => {
    const token = access()
    for (let i = 0; i < 5; i++) await token.check(await team.token())
    expect(team.asked).toBe(1)
  })

  it('are read again when one is new, but not for every name of a key', async () => {
    const token = access()
    const old = await team.token({ expiresIn: 3600 })
    await token.check(old)
    team.rotate()
    later = MINUTE
    expect(await token.check(await team.token({ expiresIn: 3600 }))).toHaveProperty('caller')
    expect(await token.check(old)).toHaveProperty('caller')
    for (let i = 0; i < 5; i++) await token.check(await team.token({ kid: `made up ${i}` }))
    expect(team.asked).toBe(2)
  })

  it('are forgotten when the team has dropped them', async () => {
    const token = access()
    const old = await team.token({ expiresIn: 3600 })
    await token.check(old)
    team.rotate()
    team.rotate()
    later = 11 * MINUTE
    expect(await token.check(old)).toHaveProperty('wrong')
  })

  it('go on while they cannot be read', async () => {
    const token = access()
    await token.check(await team.token())
    team.broken = 500
    later = 11 * MINUTE
    expect(await token.check(await team.token({ expiresIn: 3600 }))).toHaveProperty('caller')
  })

  it('that could never be read leave it open who it is', async () => {
    team.broken = 500
    const token = access()
    const result = await token.check(await team.token())
    expect(result).toEqual({
      unavailable: expect.stringMatching(/cannot be read: .*500/) as string,
    })
    team.broken = undefined
    later = 3_000
    expect(await token.check(await team.token())).toHaveProperty('caller')
  })
})

describe('the team', () => {
  it.each([
    ['acme', 'https://acme.cloudflareaccess.com/cdn-cgi/access/certs'],
    ['acme.cloudflareaccess.com', 'https://acme.cloudflareaccess.com/cdn-cgi/access/certs'],
    [
      'https://acme.cloudflareaccess.com/',
      'https://acme.cloudflareaccess.com/cdn-cgi/access/certs',
    ],
  ])('may be written as %s', async (name, url) => {
    const asked: string[] = []
    const token = new AccessToken({
      team: name,
      audience: AUDIENCE,
      writers: [],
      fetch: (input) => {
        asked.push(input as string)
        return Promise.resolve(new Response(null, { status: 500 }))
      },
    })
    await token.check(await team.token())
    expect(asked).toEqual([url])
  })

  it.each([
    'http://acme.cloudflareaccess.com',
    'acme/x',
    'a@b.example',
    'https://user:x@h.example',
  ])('is refused as %s', (name) => {
    expect(() => new AccessToken({ team: name, audience: AUDIENCE, writers: [] })).toThrow('team')
  })
})
