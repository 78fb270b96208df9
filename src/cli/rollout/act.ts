/** What the subcommands do that have the gateway do one thing to one rollout: ask for it, show what runs then. */
import type { CliIo } from '../cli-io.ts'
import { gatewayClient } from '../gateway-options.ts'
import { formatRollouts } from '../print-rollouts.ts'
import type { RolloutsAnswer } from '../rollouts-answer.ts'
import { onlyRollout } from './only-rollout.ts'
import {
  BY_OPTION,
  GATEWAY_OPTIONS,
  type Subcommand,
  subcommandLine,
  whoDoes,
} from './subcommand.ts'

/**
 * @param command whose name is what the gateway is asked to do
 * @returns the exit code
 * @throws CommandError for what the gateway refuses
 */
export async function act(command: Subcommand, args: string[], io: CliIo): Promise<number> {
  const { values, name = '' } = subcommandLine(command, args, { ...GATEWAY_OPTIONS, ...BY_OPTION })
  const gateway = await gatewayClient(values, io)
  const request = { rollout: name, action: command.name, by: whoDoes(values.by) }
  const answer = await gateway.rollout(request)
  // what became of others is not what was asked for
  const code = showRollouts(values.json ? answer : onlyRollout(answer, name), values.json, io)
  const { riseLeadMs = 0 } = answer
  if (command.name === 'start' && !values.json && riseLeadMs > 0) {
    io.stdout(`A step takes effect ${riseLeadMs / 1000} s after it is decided.\n`)
  }
  return code
}

/** @returns the exit code of something that was done */
export function showRollouts(answer: RolloutsAnswer, json: boolean | undefined, io: CliIo): number {
  if (json) io.stdout(`${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`)
  else io.stdout(formatRollouts(answer, Date.now()))
  return 0
}
