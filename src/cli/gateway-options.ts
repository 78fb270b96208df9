/**
 * Which gateway a command talks to, and with which token: the options that `apply` and `status` share.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { GatewayClient } from './gateway-client.ts'

export const GATEWAY_HELP = `  --gateway URL      the gateway (default: http://127.0.0.1:$PORT, 8787 without PORT)
  --token TOKEN      its admin token (default: $ADMIN_TOKEN, else ADMIN_TOKEN in .dev.vars here)`

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
  const token = options.token ?? io.env['ADMIN_TOKEN'] ?? (await devToken(io.cwd))
  if (token === undefined || token === '') {
    const message = `no admin token for ${url.origin}: --token, ADMIN_TOKEN and .dev.vars have none`
    throw new CommandError('admin.unauthorized', message)
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && !local) {
    io.stderr(`Warning: the token goes to ${url.origin} unencrypted; use https://\n`)
  }
  return new GatewayClient(url, token, io.fetch)
}

/** The token that `npm start` put into `.dev.vars`. */
async function devToken(cwd: string): Promise<string | undefined> {
  const text = await readFile(join(cwd, '.dev.vars'), 'utf8').catch(() => '')
  const value = /^[ \t]*ADMIN_TOKEN[ \t]*=[ \t]*(.*?)[ \t\r]*$/m.exec(text)?.[1]
  return value?.replace(/^(["'])(.*)\1$/, '$2')
}
