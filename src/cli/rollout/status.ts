/** `postern rollout status`: where rollouts are, once or for as long as they go on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { gatewayClient } from '../gateway-options.ts'
import { formatRollouts } from '../print-rollouts.ts'
import { onlyRollout } from './only-rollout.ts'
import { GATEWAY_OPTIONS, type Subcommand, subcommandLine } from './subcommand.ts'

const WATCH_MS = 2_000
/** It went back, or was stopped. */
const ROLLED_BACK = 3

export const status: Subcommand = {
  name: 'status',
  operands: '[NAME]',
  about: 'where rollouts are',
  options: '  --watch            print again every two seconds until they have come to their end',
  exitCodes: `${ROLLED_BACK} one was rolled back`,
  async run(args, io) {
    const options = { ...GATEWAY_OPTIONS, watch: { type: 'boolean' } } as const
    const { values, name } = subcommandLine(status, args, options)
    const gateway = await gatewayClient(values, io)
    for (;;) {
      const answer = onlyRollout(await gateway.rollouts(), name)
      const states = Object.values(answer.rollouts)
      const isOver = states.every(({ phase }) => phase === 'rolled-back' || phase === 'promoted')
      const last = !values.watch || isOver
      if (!values.json) io.stdout(formatRollouts(answer, Date.now()))
      else if (last) io.stdout(`${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`)
      if (last) return states.some(({ phase }) => phase === 'rolled-back') ? ROLLED_BACK : 0
      await sleep(WATCH_MS)
    }
  },
}
