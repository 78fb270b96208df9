/** The local secrets: made once, kept in `.dev.vars`, which wrangler and the command line read. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const SECRETS = ['ADMIN_TOKEN', 'ROLLOUT_SECRET']

/**
 * @param path - of `.dev.vars`; made, readable by its owner only. Secrets that it has stay as they are
 * @returns the names of those that were added
 */
export function ensureDevSecrets(path: string): readonly string[] {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const missing = SECRETS.filter((name) => !new RegExp(`^${name}\\s*=`, 'm').test(before))
  if (missing.length === 0) return missing
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  const lines = missing.map((name) => `${name}=${randomBytes(24).toString('base64url')}\n`)
  writeFileSync(path, `${before}${gap}${lines.join('')}`, { mode: 0o600 })
  return missing
}
