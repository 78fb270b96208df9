/**
 * The Worker with a clock that a test moves: `POST /test/clock?ahead=<ms>` sets it in an isolate;
 * `&alarms` moves the rollout object's alarm with it, so that what has come due by that runs.
 * `POST /test/die?at=<n>` ends the rollout object at its n-th write from now, which is not done; answered
 * is at which kinds of write it has ended so far.
 */
import { clock } from './clock.js'
import worker, { RolloutObject as Deployed } from '../../../src/worker.ts'

export { PolicyObject, ReportObject, SingletonObject } from '../../../src/worker.ts'

export class RolloutObject extends Deployed {
  static writesLeft = Infinity
  static deaths = []

  constructor(ctx, env) {
    const mortal =
      (kind, write) =>
      (...given) => {
        RolloutObject.writesLeft -= 1
        if (RolloutObject.writesLeft > 0) return write(...given)
        RolloutObject.writesLeft = Infinity
        RolloutObject.deaths.push(kind)
        ctx.abort('killed by a test')
        return new Promise(() => undefined)
      }
    const { KV } = env
    const put = mortal('document', (...of) => KV.put(...of))
    super(ctx, { ...env, KV: { get: (...of) => KV.get(...of), put } })
    const { storage } = ctx
    this.setRealAlarm = storage.setAlarm.bind(storage)
    storage.put = mortal('record', storage.put.bind(storage))
    storage.setAlarm = mortal('alarm', (at) => this.setRealAlarm(at - clock.ahead))
  }

  async moved(by) {
    const at = await this.ctx.storage.getAlarm()
    if (at !== null) await this.setRealAlarm(at - by)
  }
}

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/test/die') {
      if (searchParams.has('at')) RolloutObject.writesLeft = Number(searchParams.get('at'))
      return Response.json(RolloutObject.deaths)
    }
    if (pathname !== '/test/clock') return worker.fetch(request, env, ctx)
    const ahead = Number(searchParams.get('ahead'))
    const by = ahead - clock.ahead
    clock.ahead = ahead
    if (searchParams.has('alarms')) await env.ROLLOUTS.getByName('rollouts').moved(by)
    return new Response('ok')
  },
}
