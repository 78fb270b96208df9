/** Variables and secrets → who may use the admin API. */
import { issuerOf } from '../admin/access-team.ts'
import type { AccessOptions } from '../admin/access-token.ts'
import type { AccessCheck, AuthOptions } from '../admin/auth.ts'
import { clientIp } from '../gateway/stream-info.ts'
import { type Env, listed } from './env.ts'
import { type Control, loadControl } from './load-control.ts'

export function adminAuth(env: Env): AuthOptions {
  const { ACCESS_TEAM_DOMAIN: team = '', ACCESS_AUD: audience = '' } = env
  if ((team === '') !== (audience === '')) {
    console.error('ACCESS_TEAM_DOMAIN and ACCESS_AUD need each other; Access lets nobody in')
  }
  const writers = listed(env.ACCESS_WRITERS)
  return {
    token: env.ADMIN_TOKEN,
    readToken: env.ADMIN_READ_TOKEN,
    reportTokens: env.REPORT_TOKENS,
    clientAddress: clientIp,
    access: team === '' || audience === '' ? undefined : accessCheck({ team, audience, writers }),
  }
}

/** Tokens are checked by the second module, which the first of them loads. */
function accessCheck(options: AccessOptions): AccessCheck | undefined {
  try {
    issuerOf(options.team)
  } catch (error) {
    console.error(`ACCESS_TEAM_DOMAIN: ${(error as Error).message}; nobody is let in by Access`)
    return undefined
  }
  let known: InstanceType<Control['AccessToken']> | undefined
  return {
    async check(token) {
      const { AccessToken } = await loadControl()
      known ??= new AccessToken(options)
      return known.check(token)
    },
  }
}
