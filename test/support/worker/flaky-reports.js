/**
 * Stands between gateways and their report object, and does to reports what networks do.
 * `POST /<mode>` sets what: sound, down, deaf (taken in, the answer is lost), twice, late (the one before
 * comes again behind this one).
 */
import { DurableObject } from 'cloudflare:workers'

export class FlakyReports extends DurableObject {
  mode = 'sound'
  before = undefined

  async send(report) {
    if (this.mode === 'down') throw new Error('down')
    const real = this.env.REAL.getByName('reports')
    const reply = await real.send(report)
    if (this.mode === 'twice') await real.send(report)
    if (this.mode === 'late' && this.before) await real.send(this.before)
    this.before = report
    if (this.mode === 'deaf') throw new Error('cut off')
    return reply
  }

  async view(node) {
    if (this.mode === 'down') throw new Error('down')
    return this.env.REAL.getByName('reports').view(node)
  }

  set(mode) {
    this.mode = mode
  }
}

export default {
  async fetch(request, env) {
    await env.FLAKY.getByName('reports').set(new URL(request.url).pathname.slice(1))
    return new Response('ok')
  },
}
