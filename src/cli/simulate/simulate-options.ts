/** The command line of `postern rollout simulate`. */
import { parseArgs } from 'node:util'
import { durationMs } from '../../config/resources/duration.ts'
import type { HeaderList } from '../../simulate/traffic/exchange.ts'
import { headerAt } from '../../simulate/traffic/read-fields.ts'
import { DIFFERENCE_CLASSES, type DifferenceClass } from '../../simulate/tally.ts'
import { CommandError } from '../command-error.ts'
import { FILES_HELP } from '../policy-files.ts'
import { ROOT_NAMESPACE_HELP } from '../root-namespace.ts'
import { labelsOf } from '../rollout/labels-of.ts'
import { usageError } from '../usage-error.ts'

export const SIMULATE_HELP: string = `${FILES_HELP}
  --traffic FILE     requests to play: HAR, or JSON Lines, gzip'd or not; may be repeated
  --generate N       make N requests from the policy: its routes, its audience, many keys
  --header NAME:VALUE
                     of every generated request, as a key that a plugin asks for; may be repeated
  --seed S           for --generate and the plugins' random numbers: the same seed does the same
                     (default 1)
  --callouts FILE    JSON Lines with answers to the plugins' callouts; others fail
  --labels LABELS    of the node, as ring=1,country=de (default: those that the rollout and its
                     plugin ask for)
  --samples N        differences that are shown (default 5)
  --show NAMES       headers whose values may be shown, as x-store,location; others are ***
  --fail-on CLASSES  differences that exit with 3 (default all): ${DIFFERENCE_CLASSES.slice(0, 4).join(', ')},
                     ${DIFFERENCE_CLASSES.slice(4).join(', ')}
  --timeout TIME     for one request through both versions (default 10s)
${ROOT_NAMESPACE_HELP}`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  'root-namespace': { type: 'string' },
  traffic: { type: 'string', multiple: true },
  generate: { type: 'string' },
  header: { type: 'string', multiple: true },
  seed: { type: 'string' },
  callouts: { type: 'string', multiple: true },
  labels: { type: 'string' },
  samples: { type: 'string' },
  show: { type: 'string' },
  'fail-on': { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
} as const

export interface SimulateOptions {
  /** Of the rollout, with its namespace. */
  readonly name: string
  readonly files: readonly string[]
  /** As it is written; undefined: the deployment's. */
  readonly rootNamespace: string | undefined
  readonly traffic: readonly string[]
  readonly generate: number
  /** Of generated requests. */
  readonly headers: HeaderList
  readonly seed: number
  readonly callouts: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly samples: number
  readonly show: ReadonlySet<string>
  readonly failOn: readonly DifferenceClass[]
  readonly timeoutMs: number
  readonly json: boolean
}

/** @throws CommandError `cli.usage` */
export function simulateOptions(args: string[]): SimulateOptions {
  const { values, positionals } = parsed(args)
  const { traffic = [], callouts = [], generate, show = '', timeout = '10s' } = values
  const [name, ...others] = positionals
  if (name === undefined) throw usage('Name it: postern rollout simulate NAME')
  // `-f policy/*.yaml` of a shell names the first with the option, and then the others
  const files = [...(values.file ?? []), ...others]
  if (values.file === undefined) throw usage('Which policy? postern rollout simulate NAME -f FILE')
  if (traffic.length === 0 && generate === undefined) {
    throw usage('Which requests? --traffic FILE, --generate N, or both')
  }
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(timeout) || durationMs(timeout) === 0) {
    throw usage(`--timeout: ${timeout} is no time such as 500ms or 10s`)
  }
  return {
    name: name.includes('.') ? name : `default.${name}`,
    files,
    rootNamespace: values['root-namespace'],
    traffic,
    generate: numberOf('generate', generate, 0, 10_000_000),
    headers: (values.header ?? []).map(headerOf),
    seed: numberOf('seed', values.seed, 1, 2 ** 32 - 1),
    callouts,
    labels: labelsOf(values.labels, '--labels') ?? {},
    samples: numberOf('samples', values.samples, 5, 1_000),
    show: new Set(namesOf(show)),
    failOn: classesOf(values['fail-on']),
    timeoutMs: durationMs(timeout),
    json: values.json ?? false,
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parsed(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS })
  } catch (error) {
    throw usageError(error)
  }
}

function numberOf(name: string, text: string | undefined, absent: number, max: number): number {
  if (text === undefined) return absent
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (number <= max) return number
  throw usage(`--${name}: expected a whole number from 0 to ${max}`)
}

function headerOf(text: string): HeaderList[number] {
  const colon = text.indexOf(':')
  try {
    return headerAt(text.slice(0, Math.max(colon, 0)).trim(), text.slice(colon + 1).trim(), [])
  } catch {
    // what is in it may be a secret
    throw usage('--header: expected a header as x-api-key:VALUE')
  }
}

function classesOf(text: string | undefined): readonly DifferenceClass[] {
  if (text === undefined) return DIFFERENCE_CLASSES
  return namesOf(text).map((name) => {
    const known = DIFFERENCE_CLASSES.find((one) => one === name)
    if (known !== undefined) return known
    throw usage(
      `--fail-on: there is no difference ${name}; there are ${DIFFERENCE_CLASSES.join(', ')}`,
    )
  })
}

function namesOf(text: string): string[] {
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '')
}

function usage(message: string): CommandError {
  return new CommandError('cli.usage', message)
}
