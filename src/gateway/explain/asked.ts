/** What a sandbox can reach: nothing, with a note of what would have left; or the real upstreams. */
import type { Fetcher, Reachable } from '../upstream.ts'
import type { AskedView } from './explanation.ts'

interface Recorded extends AskedView {
  answered: AskedView['answered']
}

/**
 * @param real - what the gateway can reach
 * @param leave - whether requests really leave; else an upstream answers 200 with nothing, and a callout fails
 */
export function recordedReach(
  who: Recorded['who'],
  real: Reachable,
  leave: boolean,
  asked: AskedView[],
): Reachable {
  const record = (fetcher: Fetcher): Fetcher => ({
    async fetch(url, init) {
      const headers = [...new Headers(init.headers)]
      const method = init.method ?? 'GET'
      const entry: Recorded = { who, method, url, headers, answered: undefined }
      asked.push(entry)
      if (!leave) {
        if (who === 'plugin') throw new Error('no callout leaves this run')
        // an upstream takes the whole body, and only then have plugins seen it
        await new Response(init.body ?? null).arrayBuffer()
        return new Response(null, { status: 200 })
      }
      try {
        const response = await fetcher.fetch(url, init)
        entry.answered = response.status
        return response
      } catch (error) {
        entry.answered = 'failed'
        throw error
      }
    },
  })
  return {
    network: record(real.network),
    service(name) {
      const service = real.service(name)
      return service && record(service)
    },
  }
}
