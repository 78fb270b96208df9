/**
 * A subcommand of `postern rollout`: a file of its own each, in the table of `cli/rollout.ts`. What all of
 * them take and say is here, the help of each is composed from what it says of itself.
 */
import { userInfo } from 'node:os'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import type { CliIo } from '../cli-io.ts'
import { GATEWAY_HELP } from '../gateway-options.ts'
import { usageError } from '../usage-error.ts'

export interface Subcommand {
  readonly name: string
  /** What stands behind its name: `NAME`, `[NAME]`. */
  readonly operands: string
  /** What it does, in a line. */
  readonly about: string
  /** More about it, for its own help: whole lines, none for most. */
  readonly details?: string
  /** Its own options as help shows them: whole lines. */
  readonly options?: string
  /** What its exit codes say beyond 0 done, 1 refused or failed, 2 called wrongly. */
  readonly exitCodes?: string
  /** Whether it asks a gateway, and so takes what says which one; absent: it does. */
  readonly offline?: boolean
  /**
   * @param args behind its name, without `--help`
   * @returns the exit code
   * @throws CommandError for what is wrong
   */
  run(args: string[], io: CliIo): Promise<number>
}

interface Text {
  readonly type: 'string'
}

/** Options that every subcommand has which asks a gateway. */
export const GATEWAY_OPTIONS: {
  readonly gateway: Text
  readonly token: Text
  readonly json: { readonly type: 'boolean' }
} = {
  gateway: { type: 'string' },
  token: { type: 'string' },
  json: { type: 'boolean' },
}

/** Of those that write to the history who did it. */
export const BY_OPTION: { readonly by: Text } = { by: { type: 'string' } }

export const BY_HELP = '  --by NAME          who does it (default: the user of this machine)'

/** Who does it, unless it is said: the user of this machine. */
export function whoDoes(by: string | undefined): string {
  return by ?? userInfo().username
}

type ValuesOf<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Options }>
>['values']

/**
 * Reads a subcommand's command line: options, and one name at the most.
 * @param options as for `parseArgs`
 * @returns the values, and the name with its namespace; undefined where none was given and none is needed
 * @throws CommandError for what is no option, for too many names, for a name that is missing
 */
export function subcommandLine<const Options extends ParseArgsOptionsConfig>(
  { name: command, operands }: Subcommand,
  args: string[],
  options: Options,
): { readonly values: ValuesOf<Options>; readonly name: string | undefined } {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
    const [name, ...others] = positionals
    if (others.length > 0) throw new Error('One name at the most')
    if (name === undefined && !operands.startsWith('[')) {
      throw new Error(`Name it: postern rollout ${command} ${operands}`)
    }
    return { values, name: name === undefined || name.includes('.') ? name : `default.${name}` }
  } catch (error) {
    throw usageError(error)
  }
}

/** The help of one subcommand. */
export function subcommandHelp(command: Subcommand): string {
  const { name, operands, about, details = '', options = '', exitCodes, offline } = command
  const parts = [
    `postern rollout ${name} ${operands} [options]\n`,
    `${about[0]?.toUpperCase()}${about.slice(1)}.${details && `\n${details}`}\n`,
    [
      ...(offline ? [] : [GATEWAY_HELP]),
      ...(options ? [options] : []),
      '  --json             print the answer as JSON',
      '  --help',
      '',
    ].join('\n'),
    `Exit codes: 0 done, 1 refused or failed, 2 called wrongly${exitCodes ? `, ${exitCodes}` : ''}.\n`,
  ]
  return parts.join('\n')
}
