/** `postern rollout status`: where rollouts are, once or for as long as they go on. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CliIo } from '../cli-io.ts'
import { gatewayClient } from '../gateway-options.ts'
import { formatViews } from '../print-rollout-views.ts'
import { formatRollouts } from '../print-rollouts.ts'
import type { RolloutsAnswer } from '../rollouts-answer.ts'
import { onlyRollout } from './only-rollout.ts'
import { GATEWAY_OPTIONS, type Subcommand, subcommandLine } from './subcommand.ts'

const WATCH_MS = 2_000
/** It went back, or was stopped. */
const ROLLED_BACK = 3

export const status: Subcommand = {
  name: 'status',
  operands: '[NAME]',
  about: 'where rollouts are',
  details: `Shows of each that is in the active revision its steps, what the analysis says of what is counted by now, and what
it waits for. Times are UTC.`,
  options: `  --watch            look every two seconds until they have come to their end: on a terminal redrawn in place, else
                     (and with --json, a line each) whenever something has changed`,
  exitCodes: `${ROLLED_BACK} one was rolled back`,
  async run(args, io) {
    const options = { ...GATEWAY_OPTIONS, watch: { type: 'boolean' } } as const
    const { values, name } = subcommandLine(status, args, options)
    const gateway = await gatewayClient(values, io)
    const show = values.watch
      ? watcher(io, values.json === true)
      : printer(io, values.json === true)
    for (;;) {
      const answer = onlyRollout(await gateway.rollouts(), name)
      show(answer)
      const states = Object.values(answer.rollouts)
      const isOver = states.every(({ phase }) => phase === 'rolled-back' || phase === 'promoted')
      if (!values.watch || isOver) {
        return states.some(({ phase }) => phase === 'rolled-back') ? ROLLED_BACK : 0
      }
      await sleep(WATCH_MS)
    }
  },
}

type Show = (answer: RolloutsAnswer) => void

function printer(io: CliIo, json: boolean): Show {
  return (answer) =>
    io.stdout(json ? `${JSON.stringify({ ok: true, ...answer }, null, 2)}\n` : text(answer))
}

function watcher(io: CliIo, json: boolean): Show {
  let shown = ''
  return (answer) => {
    const { redraw } = io
    if (!json && redraw !== undefined) return redraw.call(io, text(answer))
    const { now: _, ...lasting } = answer
    const what = JSON.stringify(lasting)
    if (what === shown) return undefined
    const isFirst = shown === ''
    shown = what
    if (json) return io.stdout(`${JSON.stringify({ ok: true, ...answer })}\n`)
    return io.stdout(isFirst ? text(answer) : `\n${text(answer)}`)
  }
}

function text(answer: RolloutsAnswer): string {
  return formatRollouts(answer, answer.now ?? Date.now()) + formatViews(answer)
}
