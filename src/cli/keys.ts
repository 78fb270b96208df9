/**
 * `postern keys new`: a pair of keys to sign configuration with. The private one goes to a file that
 * only its owner can read, and to no server; the public one is printed, for TRUSTED_KEYS.
 */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { newPrivateKey, readPrivateKey } from '../config/signing/sign-pointer.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { usageError } from './usage-error.ts'

const DEFAULT_FILE = 'postern.key'

const HELP = `postern keys new [--out FILE] [options]

Makes an Ed25519 key. The private key goes to FILE, which must not be there yet; the public
key is printed. Put that into TRUSTED_KEYS of your gateways, and sign with --sign FILE.

  --out FILE         where the private key goes (default: ${DEFAULT_FILE})
  --json             print the public key as JSON
  --help

Exit codes: 0 done, 1 the file is there already or cannot be written, 2 called wrongly.
`

/**
 * @param args after `keys`
 * @returns the exit code
 */
export async function keys(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options === 'help') {
    io.stdout(HELP)
    return 0
  }
  const { out, json } = options
  const text = await newPrivateKey()
  const { publicKey, keyId } = await readPrivateKey(text)
  await writePrivately(resolve(io.cwd, out), text, out)
  if (json) {
    io.stdout(`${JSON.stringify({ ok: true, keyId, publicKey, file: out }, null, 2)}\n`)
    return 0
  }
  io.stderr(`The private key is in ${out}: keep it, and keep it to yourself. Its public key:\n`)
  io.stdout(`${publicKey}\n`)
  io.stderr(
    `Key id: ${keyId}\nAdd it to TRUSTED_KEYS of your gateways once what runs is signed by it.\n`,
  )
  return 0
}

/** Never over a file that is there: it may be the only copy of a key. */
async function writePrivately(path: string, text: string, shown: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const why =
      code === 'EEXIST' ? 'is there already; nothing was written' : `cannot be written (${code})`
    throw new CommandError('cli.file_not_written', `${shown} ${why}`)
  }
}

function parse(args: string[]): { readonly out: string; readonly json: boolean } | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return 'help'
    if (positionals.length !== 1 || positionals[0] !== 'new') {
      throw new Error('There is `postern keys new`, and nothing else')
    }
    return { out: values.out ?? DEFAULT_FILE, json: values.json ?? false }
  } catch (error) {
    throw usageError(error)
  }
}
