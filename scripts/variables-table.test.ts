/** The table of variables, and that it has every one that the Worker reads. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variablesOf, variablesTable } from './variables-table.ts'

const root = join(import.meta.dirname, '..')
const toml = readFileSync(join(root, 'wrangler.toml'), 'utf8')

describe('the Worker', () => {
  it('reads exactly what wrangler.toml explains', () => {
    const env = readFileSync(join(root, 'src/cloudflare/env.ts'), 'utf8')
    const [, members = ''] = /export interface Env \{(.*?)\n\}/s.exec(env) ?? []
    const read = [...members.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name)
    expect(read.length).toBeGreaterThan(20)
    expect(
      variablesOf(toml)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(read.sort())
  })

  it('has its secrets outside of the file', () => {
    const secrets = variablesOf(toml).filter(({ kind }) => kind === 'secret')
    expect(secrets.map(({ name }) => name)).toEqual([
      'ADMIN_TOKEN',
      'ADMIN_READ_TOKEN',
      'ROLLOUT_SECRET',
      'REPORT_TOKENS',
      'HUB_TOKEN',
    ])
    expect(toml).not.toMatch(/^(ADMIN_(READ_)?TOKEN|ROLLOUT_SECRET|REPORT_TOKENS|HUB_TOKEN)/m)
  })
})

describe('the table', () => {
  it('says what each is for and how it is deployed', () => {
    const rows = variablesTable().split('\n')
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `REFRESH_SECONDS` \| variable \| `30` \| How old/),
    )
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `ADMIN_TOKEN` \| secret \| {2}\| Opens everything/),
    )
    expect(rows).toContainEqual(
      expect.stringMatching(/^\| `POLICY` \| binding \| {2}\| The one writer/),
    )
    for (const row of rows.slice(2)) expect(row).toMatch(/ \| \S.*\S \|$/)
  })

  it('takes a comment of several lines as one', () => {
    const about = variablesOf('[vars]\n# One\n# two.\nA = "b | c"\n# Other.\nD = ""\n')
    expect(about).toEqual([
      { name: 'A', kind: 'variable', value: 'b | c', about: 'One two.' },
      { name: 'D', kind: 'variable', value: '', about: 'Other.' },
    ])
  })
})
