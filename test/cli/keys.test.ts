/** `postern keys new`, and what `--sign` makes of a key. */
import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseActivePointer } from '../../src/config/active-pointer.ts'
import { parseTrustedKeys } from '../../src/config/signing/public-key.ts'
import { verifyPointer } from '../../src/config/signing/verify-pointer.ts'
import { commandLine } from '../support/command-line.ts'
import { TOKEN } from '../support/in-process-gateway.ts'
import { policyFolder, ROUTES } from '../support/policy-folder.ts'
import type { PolicyFolder } from '../support/policy-folder.ts'

describe('postern keys new', () => {
  it('writes a private key for its owner alone, and prints the public one and nothing else', async () => {
    const { postern, cwd } = await commandLine({})
    const { exitCode, stdout, stderr } = await postern('keys', 'new')
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^ed25519:[\w-]{43}\n$/)])
    const file = join(cwd, 'postern.key')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const jwk = JSON.parse(await readFile(file, 'utf8')) as { d: string; kid: string }
    expect(stdout + stderr).not.toContain(jwk.d)
    expect(stderr).toContain(`Key id: ${jwk.kid}\n`)
    expect([...(parseTrustedKeys(stdout).keys?.keys() ?? [])]).toEqual([jwk.kid])
  })

  it('never writes over a file that is there', async () => {
    const { postern, cwd } = await commandLine({ 'prod.key': 'the only copy' })
    const { exitCode, stderr } = await postern('keys', 'new', '--out', 'prod.key')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'prod.key is there already; nothing was written [cli.file_not_written]',
    )
    expect(await readFile(join(cwd, 'prod.key'), 'utf8')).toBe('the only copy')
  })

  it('names a folder that is not there', async () => {
    const { postern } = await commandLine({})
    const { exitCode, stderr } = await postern('keys', 'new', '--out', 'no/where.key')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('cannot be written (ENOENT)')])
  })

  it('prints one JSON value with --json', async () => {
    const { postern } = await commandLine({})
    const { stdout } = await postern('keys', 'new', '--json')
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      keyId: expect.stringMatching(/^[\w-]{16}$/),
      publicKey: expect.stringMatching(/^ed25519:/),
      file: 'postern.key',
    })
  })

  it.each([[[]], [['old']], [['new', 'new']], [['new', '--force']]])(
    'is called wrongly with %j',
    async (args) => {
      const { postern } = await commandLine({})
      expect(await postern('keys', ...args)).toMatchObject({ exitCode: 2, stdout: '' })
    },
  )
})

/** The pointer in the store, as far as the key says that it may be taken. */
async function taken({ gateway }: PolicyFolder, publicKey: string, now: number): Promise<string> {
  const parsed = parseActivePointer(gateway.values.get('active') ?? '')
  if ('wrong' in parsed) return parsed.wrong
  const refusal = await verifyPointer(parsed.pointer, parseTrustedKeys(publicKey).keys, now)
  return refusal?.code ?? 'taken'
}

describe('--sign', () => {
  it('signs what apply and rollback write', async () => {
    const here = await policyFolder()
    const { stdout: publicKey } = await here.postern('keys', 'new')
    const sign = ['--sign', 'postern.key']
    const { exitCode, stderr } = await here.postern('apply', '-f', 'policy', ...sign)
    expect([exitCode, await taken(here, publicKey, Date.now())]).toEqual([0, 'taken'])
    expect(stderr).toMatch(/Revision 1 is written, signed by [\w-]{16}; waiting/)
    expect(stderr).not.toContain('Warning')
    await here.postern('apply', '-f', 'policy/routes.yaml', '--prune', ...sign)
    expect(await here.postern('rollback', ...sign)).toMatchObject({ exitCode: 0 })
    expect(await taken(here, publicKey, Date.now())).toBe('taken')
    const { stdout } = await here.postern('history')
    expect(stdout).toContain(JSON.parse(here.gateway.values.get('active') ?? '').signature.keyId)
  })

  it.each([
    ['another revision', { revision: 1_000 }],
    ['another snapshot', { snapshot: 'f'.repeat(64) }],
    ['another expiry', { expiresAt: '2099-01-01T00:00:00Z' }],
    ['another time', { issuedAt: '2020-01-01T00:00:00Z' }],
    ['something that is no pointer', { previous: 7 }],
  ])('signs nothing when the gateway asks for %s', async (_what, change) => {
    const here = await policyFolder()
    await here.postern('keys', 'new')
    const args = ['apply', '-f', 'policy', '--sign', 'postern.key']
    const lying = await commandLine(
      { 'postern.key': await readFile(join(here.cwd, 'postern.key'), 'utf8') },
      {
        env: { ADMIN_TOKEN: TOKEN },
        stdin: ROUTES,
        fetch: async (input, init) => {
          const response = await here.gateway.fetch(input, init)
          const body = (await response.json()) as { pointer?: object }
          const lie = body.pointer && { pointer: { ...body.pointer, ...change } }
          return Response.json({ ...body, ...lie }, { status: response.status })
        },
      },
    )
    const { exitCode, stderr } = await lying.postern(...args.toSpliced(2, 1, '-'))
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Nothing was signed')])
    expect(here.gateway.values.size).toBe(0)
  })

  it('says with --expires until when it may be taken', async () => {
    const here = await policyFolder()
    const { stdout: publicKey } = await here.postern('keys', 'new')
    await here.postern('apply', '-f', 'policy', '--sign', 'postern.key', '--expires', '30d')
    const day = 86_400_000
    expect(await taken(here, publicKey, Date.now() + 29 * day)).toBe('taken')
    expect(await taken(here, publicKey, Date.now() + 31 * day)).toBe('config.signature_expired')
  })

  it('signs what runs already, without a change', async () => {
    const here = await policyFolder()
    const { stdout: publicKey } = await here.postern('keys', 'new')
    await here.postern('apply', '-f', 'policy')
    expect(await taken(here, publicKey, Date.now())).toBe('config.signature_missing')
    const again = ['apply', '-f', 'policy', '--sign', 'postern.key']
    const first = await here.postern(...again)
    expect(first.stdout).toBe(
      'Nothing changes but the revision.\nRevision 2 runs at http://127.0.0.1:8787.\n',
    )
    expect(await taken(here, publicKey, Date.now())).toBe('taken')
    expect((await here.postern(...again)).stdout).toBe('Nothing changes.\n')
  })

  it('warns of a key that others can read', async () => {
    const here = await policyFolder()
    await here.postern('keys', 'new')
    await chmod(join(here.cwd, 'postern.key'), 0o644)
    const { exitCode, stderr } = await here.postern('apply', '-f', 'policy', '--sign=postern.key')
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringContaining('Warning: others can read the private key postern.key'),
    ])
  })

  it('needs a key, before anything is asked', async () => {
    const here = await policyFolder({ 'public.txt': 'ed25519:AAAA', 's.key': '{"d":"s3cret"}' })
    const cases = [
      ['nowhere.key', 'nowhere.key cannot be read (ENOENT) [cli.file_missing]'],
      ['public.txt', 'public.txt: it is no private Ed25519 key'],
      ['s.key', '[cli.key_invalid]'],
    ] as const
    for (const [file, expected] of cases) {
      const { exitCode, stderr } = await here.postern('apply', '-f', 'policy', '--sign', file)
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(expected)])
      expect(stderr).not.toContain('s3cret')
    }
    expect(here.gateway.values.size).toBe(0)
  })

  it.each([['0d'], ['5'], ['tomorrow'], ['-1d']])('refuses --expires %s', async (time) => {
    const here = await policyFolder()
    const args = ['apply', '-f', 'policy', '--sign', 'postern.key', `--expires=${time}`]
    expect(await here.postern(...args)).toMatchObject({ exitCode: 2 })
  })
})
