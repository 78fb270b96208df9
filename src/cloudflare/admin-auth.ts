/** Variables and secrets → who may use the admin API. */
import type { AuthOptions } from '../admin/auth.ts'
import { clientIp } from '../gateway/stream-info.ts'
import { type Env, listed } from './env.ts'

export function adminAuth(env: Env): AuthOptions {
  const { ACCESS_TEAM_DOMAIN: team = '', ACCESS_AUD: audience = '' } = env
  if ((team === '') !== (audience === '')) {
    console.error('ACCESS_TEAM_DOMAIN and ACCESS_AUD need each other; Access lets nobody in')
  }
  const writers = listed(env.ACCESS_WRITERS)
  return {
    token: env.ADMIN_TOKEN,
    readToken: env.ADMIN_READ_TOKEN,
    clientAddress: clientIp,
    access: team === '' || audience === '' ? undefined : { team, audience, writers },
  }
}
