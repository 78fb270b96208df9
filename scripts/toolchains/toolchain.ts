import { spawnSync } from 'node:child_process'
import type { Plugin, PluginVersion } from '../plugin-manifest.ts'

/** What turns the sources of one language into bytes. */
export interface Toolchain {
  /**
   * @returns the name and version that `build.toolchain` of a manifest records
   * @throws MissingToolchain saying what to install
   */
  check(plugin: Plugin): string
  /**
   * @param plugin - what to build
   * @param version - which version of it
   * @returns the module's bytes
   * @throws Error when the compiler fails; its own output has been shown
   */
  build(plugin: Plugin, version: PluginVersion): Uint8Array
}

/** A compiler is not there; the message says how to get it. */
export class MissingToolchain extends Error {}

/**
 * Runs a command and shows its output.
 *
 * @param command - program and arguments
 * @param cwd - where to run it
 * @param env - variables to set on top of this process's own
 * @throws Error when it cannot be run or fails
 */
export function run(command: string[], cwd: string, env: Record<string, string> = {}): void {
  const [program = '', ...args] = command
  const { status, error } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 2, 2],
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${command.join(' ')} failed in ${cwd}`)
}

/**
 * Asks a command for one line.
 *
 * @param command - program and arguments
 * @param cwd - where to run it
 * @returns what it printed, trimmed, or nothing when it is missing or fails
 */
export function ask(command: string[], cwd?: string): string | undefined {
  const [program = '', ...args] = command
  const { status, stdout } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
