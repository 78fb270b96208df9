import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MissingToolchain, ask, run } from './toolchain.ts'

/**
 * Finds which version of a package a plugin's lock file names; nothing is installed for it.
 *
 * @param folder - the folder of `package.json` and `package-lock.json`
 * @param name - the package
 * @returns such as `wabt 1.0.39`
 * @throws MissingToolchain when there is no npm
 */
export function lockedVersion(folder: string, name: string): string {
  if (!ask(['npm', '--version'])) {
    throw new MissingToolchain('npm is missing: install Node.js from https://nodejs.org')
  }
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  return `${name} ${lock.packages[`node_modules/${name}`]?.version}`
}

/**
 * Installs what the lock file names, unless that has been done since it last changed.
 *
 * @param folder - the folder of `package.json` and `package-lock.json`
 * @throws Error when npm fails
 */
export function installPackages(folder: string): void {
  const marker = join(folder, 'node_modules/.package-lock.json')
  const lock = join(folder, 'package-lock.json')
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs) return
  run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
}
