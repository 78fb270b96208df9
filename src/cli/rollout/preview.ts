/** `postern rollout preview`: a token by which one till or one browser gets a side of a rollout, whatever its weight. */
import * as v from 'valibot'
import { duration, durationMs } from '../../config/resources/duration.ts'
import { CommandError } from '../command-error.ts'
import { gatewayClient } from '../gateway-options.ts'
import { GATEWAY_OPTIONS, type Subcommand, subcommandLine } from './subcommand.ts'

const DEFAULT_FOR = '1h'
const DAY_MS = 24 * 60 * 60 * 1000

export const preview: Subcommand = {
  name: 'preview',
  operands: 'NAME',
  about: 'let one till or browser have a side, at any weight',
  details: `Prints a token, the header that a till sends it in, and a link that keeps it in a browser. Whoever has it
gets that side until it is over, before the rollout is started as well; its requests are not counted.
The link works under every host name of the gateway; open it under the one that you look at.`,
  options: `  --side SIDE        candidate (the default) or stable
  --for DURATION     how long it is good, as 30m (default: ${DEFAULT_FOR}; a day at the most)`,
  async run(args, io) {
    const own = { side: { type: 'string' }, for: { type: 'string' } } as const
    const { values, name = '' } = subcommandLine(preview, args, { ...GATEWAY_OPTIONS, ...own })
    const { side = 'candidate', for: lifetime = DEFAULT_FOR } = values
    if (side !== 'candidate' && side !== 'stable') {
      throw new CommandError('cli.usage', `--side ${side} is neither candidate nor stable`)
    }
    const lifetimeMs = v.is(duration, lifetime) ? durationMs(lifetime) : Number.NaN
    if (!(lifetimeMs >= 1000 && lifetimeMs <= DAY_MS)) {
      const message = `--for ${lifetime} is no duration such as 30m, from a second to a day`
      throw new CommandError('cli.usage', message)
    }
    const gateway = await gatewayClient(values, io)
    const { token, until } = await gateway.preview({
      rollout: name,
      side,
      seconds: lifetimeMs / 1000,
    })
    const header = `x-postern-preview: ${token}`
    const link = `${gateway.name}/-/preview?token=${token}`
    const over = new Date(until).toISOString()
    if (values.json) {
      const answer = { ok: true, rollout: name, side, until: over, token, header, link }
      io.stdout(`${JSON.stringify(answer, null, 2)}\n`)
    } else {
      const who = side === 'candidate' ? 'the candidate' : 'the stable version'
      io.stdout(`Whoever sends this token gets ${who} of ${name} until ${over}.

Token      ${token}
A till     curl -H '${header}' ${gateway.name}/
A browser  ${link}
`)
    }
    return 0
  },
}
