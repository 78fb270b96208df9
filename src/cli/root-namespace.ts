/** The namespace whose plugins are for all namespaces, for commands that compile without a gateway. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'

export const ROOT_NAMESPACE_HELP = `  --root-namespace NAME
                     the namespace whose plugins are for all namespaces (default:
                     $ROOT_NAMESPACE, else that of wrangler.toml here, else istio-system)`

/** A name as Kubernetes has them. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * @param option what `--root-namespace` says
 * @returns undefined for Istio's
 * @throws CommandError `cli.usage` for what is no name of a namespace
 */
export async function rootNamespace(
  option: string | undefined,
  io: CliIo,
): Promise<string | undefined> {
  const name = option ?? (io.env['ROOT_NAMESPACE'] || (await deployed(io.cwd)))
  if (name !== undefined && !NAME.test(name)) {
    throw new CommandError('cli.usage', `the root namespace ${JSON.stringify(name)} is no name`)
  }
  return name
}

/** What the gateway is deployed with from this folder: the first one, which is of the deployment without a name. */
async function deployed(cwd: string): Promise<string | undefined> {
  const text = await readFile(join(cwd, 'wrangler.toml'), 'utf8').catch(() => '')
  return /^[ \t]*ROOT_NAMESPACE[ \t]*=[ \t]*["']([^"'\n]*)["']/m.exec(text)?.[1] || undefined
}
