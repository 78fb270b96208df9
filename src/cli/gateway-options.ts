/**
 * Which gateway a command talks to, and with which token: the options that `apply` and `status` share.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { GatewayClient } from './gateway-client.ts'

export const GATEWAY_HELP = `  --gateway URL      the gateway (default: http://127.0.0.1:$PORT, 8787 without PORT)
  --token TOKEN      its admin token (default: $ADMIN_TOKEN, else, for a gateway on
                     this machine alone, ADMIN_TOKEN in .dev.vars here)`

/**
 * @param options what stood on the command line
 * @throws CommandError for a url that is none, and where no token is to be found
 */
export async function gatewayClient(
  options: { readonly gateway?: string | undefined; readonly token?: string | undefined },
  io: CliIo,
): Promise<GatewayClient> {
  const text = options.gateway ?? `http://127.0.0.1:${io.env['PORT'] ?? '8787'}`
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new CommandError('cli.usage', `--gateway ${text} is no http:// or https:// url`)
  }
  const url = new URL(text)
  const local = isLoopback(url.hostname)
  // what opens the gateway of this folder is nothing to show to another
  const kept = local ? await devToken(io.cwd) : undefined
  const token = options.token ?? io.env['ADMIN_TOKEN'] ?? kept
  if (token === undefined || token === '') {
    const none = local
      ? '--token, ADMIN_TOKEN and .dev.vars have none'
      : 'give it as --token or in the variable ADMIN_TOKEN; .dev.vars is for gateways on this machine'
    throw new CommandError('admin.unauthorized', `no admin token for ${url.origin}: ${none}`)
  }
  if (url.protocol === 'http:' && !local) {
    io.stderr(`Warning: the token goes to ${url.origin} unencrypted; use https://\n`)
  }
  return new GatewayClient(url, token, io.fetch)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** The token that `npm start` put into `.dev.vars`. */
async function devToken(cwd: string): Promise<string | undefined> {
  const text = await readFile(join(cwd, '.dev.vars'), 'utf8').catch(() => '')
  const value = /^[ \t]*ADMIN_TOKEN[ \t]*=[ \t]*(.*?)[ \t\r]*$/m.exec(text)?.[1]
  return value?.replace(/^(["'])(.*)\1$/, '$2')
}
