/**
 * `postern rollout`: starts, watches and stops what a PluginRollout says. The rollout itself is applied
 * like every other resource; here it is only set going.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { formatEvents, formatRollouts } from './print-rollouts.ts'
import type { RolloutsAnswer } from './rollouts-answer.ts'
import { usageError } from './usage-error.ts'

const ACTIONS = ['start', 'pause', 'resume', 'abort'] as const
const SUBCOMMANDS = [...ACTIONS, 'status', 'history', 'kill', 'unkill'] as const
type Subcommand = (typeof SUBCOMMANDS)[number]

const WATCH_MS = 2_000
/** It went back, or was stopped. */
const ROLLED_BACK = 3

const HELP = `postern rollout COMMAND [NAME] [options]

  start NAME         begin with the first step; it takes effect 100 seconds later
  pause NAME         keep the weight as it is
  resume NAME        go on with the step it was paused in
  abort NAME         make everybody stable, at once
  status [NAME]      where rollouts are
  history [NAME]     what has become of them, and why
  kill PLUGIN        keep a plugin's candidate off, on all nodes or those of --selector
  unkill PLUGIN      take that back

NAME and PLUGIN are <namespace>.<name>; without a namespace it is default.
To promote a candidate, write its url and pluginConfig into the WasmPlugin, take the PluginRollout
out, and apply: requests go on as they were, and the rollout is over.

${GATEWAY_HELP}
  --selector LABELS  for kill and unkill: nodes with these labels, as ring=1,country=de
  --by NAME          who does it (default: the user of this machine)
  --watch            status: print again every two seconds until the rollout has come to its end
  --json             print the gateway's answer as JSON; with --watch the last one alone
  --help

Exit codes: 0 done, 1 refused or failed, 2 called wrongly, ${ROLLED_BACK} status: a rollout was rolled back.
`

/**
 * @param args after `rollout`
 * @returns the exit code
 * @throws CommandError for what the gateway refuses
 */
export async function rollout(args: string[], io: CliIo): Promise<number> {
  const { values, command, name } = parse(args)
  if (values.help || command === undefined) {
    io.stdout(HELP)
    return values.help ? 0 : 2
  }
  const gateway = await gatewayClient(values, io)
  const by = values.by ?? userInfo().username
  if (command === 'kill' || command === 'unkill') {
    const selector = labelsOf(values.selector)
    const kill = { plugin: name ?? '', ...(selector && { selector }), on: command === 'kill' }
    return show(await gateway.killCandidate(kill), values.json, io)
  }
  if (command === 'status' || command === 'history') return look(command)
  return show(await gateway.rollout({ rollout: name ?? '', action: command, by }), values.json, io)

  async function look(what: 'status' | 'history'): Promise<number> {
    for (;;) {
      const answer = only(await gateway.rollouts(), name)
      const states = Object.values(answer.rollouts)
      const isOver = states.every(({ phase }) => phase === 'rolled-back' || phase === 'promoted')
      const last = !values.watch || what === 'history' || isOver
      if (!values.json)
        io.stdout(what === 'status' ? formatRollouts(answer, Date.now()) : formatEvents(answer))
      else if (last) io.stdout(`${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`)
      if (last) {
        const isBack = states.some(({ phase }) => phase === 'rolled-back')
        return what === 'status' && isBack ? ROLLED_BACK : 0
      }
      await sleep(WATCH_MS)
    }
  }
}

function show(answer: RolloutsAnswer, json: boolean | undefined, io: CliIo): number {
  if (json) io.stdout(`${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`)
  else io.stdout(formatRollouts(answer, Date.now()))
  return 0
}

/** @throws CommandError when it was never started */
function only(answer: RolloutsAnswer, name: string | undefined): RolloutsAnswer {
  if (name === undefined) return answer
  const state = answer.rollouts[name]
  if (state === undefined) {
    throw new CommandError('rollout.unknown', `${name} is no rollout that was ever started`)
  }
  const history = answer.history.filter(({ rollout }) => rollout === name)
  return { ...answer, rollouts: { [name]: state }, history }
}

/** `ring=1,country=de` as an object. @throws CommandError for what is no label */
function labelsOf(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined
  const labels = text.split(',').map((label): [string, string] => {
    const [name = '', ...value] = label.split('=')
    if (name.trim() === '' || value.length === 0) {
      throw new CommandError('cli.usage', `--selector: ${label} is no label such as ring=1`)
    }
    return [name.trim(), value.join('=').trim()]
  })
  return Object.fromEntries(labels)
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        gateway: { type: 'string' },
        token: { type: 'string' },
        selector: { type: 'string' },
        by: { type: 'string' },
        watch: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return { values, command: undefined, name: undefined }
    const [command, name, ...others] = positionals
    const known = SUBCOMMANDS.find((one): one is Subcommand => one === command)
    if (command !== undefined && known === undefined) {
      throw new Error(`There is no postern rollout ${command}; there are ${SUBCOMMANDS.join(', ')}`)
    }
    if (others.length > 0) throw new Error('One name at the most')
    if (known !== undefined && name === undefined && known !== 'status' && known !== 'history') {
      throw new Error(`Name it: postern rollout ${known} NAME`)
    }
    const whole = name === undefined || name.includes('.') ? name : `default.${name}`
    return { values, command: known, name: whole }
  } catch (error) {
    throw usageError(error)
  }
}
