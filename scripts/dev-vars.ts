/** The local admin token: made once, kept in `.dev.vars`, which wrangler and the command line read. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const LINE = /^ADMIN_TOKEN\s*=/m

/**
 * @param path - of `.dev.vars`; made, readable by its owner only, or left as it is when it has a token
 * @returns whether a token was added
 */
export function ensureAdminToken(path: string): boolean {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (LINE.test(before)) return false
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  const token = randomBytes(24).toString('base64url')
  writeFileSync(path, `${before}${gap}ADMIN_TOKEN=${token}\n`, { mode: 0o600 })
  return true
}
