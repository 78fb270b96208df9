/** `postern rollout history`: what has become of rollouts, and why. */
import { gatewayClient } from '../gateway-options.ts'
import { formatEvents } from '../print-rollouts.ts'
import { onlyRollout } from './only-rollout.ts'
import { GATEWAY_OPTIONS, type Subcommand, subcommandLine } from './subcommand.ts'

export const history: Subcommand = {
  name: 'history',
  operands: '[NAME]',
  about: 'what has become of them, and why',
  async run(args, io) {
    const { values, name } = subcommandLine(history, args, GATEWAY_OPTIONS)
    const gateway = await gatewayClient(values, io)
    const answer = onlyRollout(await gateway.rollouts(), name)
    if (values.json) io.stdout(`${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`)
    else io.stdout(formatEvents(answer))
    return 0
  },
}
