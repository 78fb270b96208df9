/** The options that `apply` and `rollback` share: how a change is written, signed and waited for. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readPrivateKey } from '../config/signing/sign-pointer.ts'
import type { SigningKey } from '../config/signing/sign-pointer.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'

export const WRITE_HELP = `  --dry-run          show what would change; write nothing
  --why TEXT         kept with the revision
  --sign KEYFILE     sign the revision with a key of \`postern keys new\`
  --expires TIME     with --sign: for how long gateways may take it, as 90m, 12h or 30d
  --wait             wait for every node that reports, not for the gateway asked alone
  --no-wait          do not wait at all
  --timeout SECONDS  how long to wait (default: 60; 0: as --no-wait)
  --json             print the result as JSON
  --help`

export const WRITE_OPTIONS = {
  gateway: { type: 'string' },
  token: { type: 'string' },
  'dry-run': { type: 'boolean' },
  why: { type: 'string' },
  sign: { type: 'string' },
  expires: { type: 'string' },
  wait: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface WriteOptions {
  readonly gateway: string | undefined
  readonly token: string | undefined
  readonly dryRun: boolean
  readonly why: string
  readonly sign: string | undefined
  /** Milliseconds. */
  readonly expiresIn: number | undefined
  readonly waitFor: 'nobody' | 'gateway' | 'nodes'
  readonly timeoutSeconds: number
  readonly json: boolean
}

type Values = Readonly<
  Partial<Record<keyof typeof WRITE_OPTIONS, string | boolean | (string | boolean)[]>>
>

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @throws Error for values that make no sense, or not together */
export function writeOptions(values: Values): WriteOptions {
  const text = (name: keyof Values): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const timeoutSeconds = Number(text('timeout') ?? '60')
  if (!(timeoutSeconds >= 0)) {
    throw new Error(`--timeout ${text('timeout') ?? ''} is no number of seconds`)
  }
  if (values.wait && values['no-wait']) throw new Error('--wait and --no-wait exclude each other')
  const expires = text('expires')
  if (expires !== undefined && text('sign') === undefined) {
    throw new Error('--expires is for signed revisions: it needs --sign')
  }
  const nobody = values['no-wait'] === true || timeoutSeconds === 0
  return {
    gateway: text('gateway'),
    token: text('token'),
    dryRun: values['dry-run'] === true,
    why: text('why') ?? '',
    sign: text('sign'),
    expiresIn: expires === undefined ? undefined : duration(expires),
    waitFor: nobody ? 'nobody' : values.wait === true ? 'nodes' : 'gateway',
    timeoutSeconds,
    json: values.json === true,
  }
}

function duration(text: string): number {
  const [, amount, unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? []
  if (amount === undefined) throw new Error(`--expires ${text} is no time such as 90m, 12h or 30d`)
  return Number(amount) * (UNITS[unit] ?? 0)
}

/**
 * Reads the file of `--sign`. Warns when others on this machine could read it too.
 * @returns undefined when nothing is to be signed
 * @throws CommandError for a file that is not there or holds no private key
 */
export async function signingKey(
  file: string | undefined,
  io: CliIo,
): Promise<SigningKey | undefined> {
  if (file === undefined) return undefined
  const path = resolve(io.cwd, file)
  try {
    const key = await readPrivateKey(await readFile(path, 'utf8'))
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      io.stderr(`Warning: others can read the private key ${file}; chmod 600 it\n`)
    }
    return key
  } catch (error) {
    const missing = error instanceof Error && 'code' in error
    const reason = error instanceof Error ? error.message : String(error)
    const message = missing
      ? `${file} cannot be read (${String(error.code)})`
      : `${file}: ${reason}`
    throw new CommandError(missing ? 'cli.file_missing' : 'cli.key_invalid', message)
  }
}
