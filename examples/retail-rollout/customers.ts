/** Customers who want to pay: at each node, all the time, with a till's, a kiosk's or their own phone's key. */
import type { Node } from './nodes.ts'

export const KINDS = ['till', 'kiosk', 'scan-and-go'] as const
export type Kind = (typeof KINDS)[number]

/** How customers pay: of ten, six at a till, two at a kiosk, two with their phone. */
const PAY: readonly Kind[] = [
  'till',
  'till',
  'kiosk',
  'till',
  'scan-and-go',
  'till',
  'till',
  'kiosk',
  'till',
  'scan-and-go',
]
/** Each comes again and again, and is known by his number. */
const CUSTOMERS = 500
const AT_ONCE = 2
const PAUSE_MS = 5

export interface Seen {
  asked: number
  /** Turned away by the gateway: 401 and 403. */
  denied: number
}

export interface Crowd {
  readonly requests: number
  readonly failed: number
  /** When somebody with a till's or a kiosk's key was last turned away; 0: never. */
  readonly lastDeniedAt: number
  /** How many of those were, at a node. */
  deniedSoFar(node: string): number
  /** What has happened since all was forgotten. */
  seen(node: string, kind: Kind): Seen
  forget(): void
  /** Waits until so many more requests of each node were answered. */
  more(count: number): Promise<void>
  leave(): Promise<void>
}

/** Customers come to every node until they leave. */
export function crowd(nodes: readonly Node[]): Crowd {
  const seen = new Map<string, Seen>()
  const answered = new Map(nodes.map(({ name }) => [name, 0]))
  const denied = new Map<string, number>()
  let [requests, failed, lastDeniedAt] = [0, 0, 0]
  let here = true
  const seenOf = (node: string, kind: Kind): Seen => {
    const key = `${node}/${kind}`
    let one = seen.get(key)
    if (one === undefined) seen.set(key, (one = { asked: 0, denied: 0 }))
    return one
  }
  const customers = nodes.flatMap((node) =>
    Array.from({ length: AT_ONCE }, async (_, first) => {
      for (let turn = first; here; turn += AT_ONCE) {
        const kind = PAY[turn % PAY.length] as Kind
        const status = await pay(node, kind, turn % CUSTOMERS)
        const counts = seenOf(node.name, kind)
        counts.asked += 1
        if (status === 401 || status === 403) {
          counts.denied += 1
          if (kind !== 'scan-and-go') {
            lastDeniedAt = Date.now()
            denied.set(node.name, (denied.get(node.name) ?? 0) + 1)
          }
        } else if (status !== 200) failed += 1
        requests += 1
        answered.set(node.name, (answered.get(node.name) ?? 0) + 1)
        await pause(PAUSE_MS)
      }
    }),
  )
  return {
    get requests() {
      return requests
    },
    get failed() {
      return failed
    },
    get lastDeniedAt() {
      return lastDeniedAt
    },
    deniedSoFar: (node) => denied.get(node) ?? 0,
    seen: seenOf,
    forget: () => seen.clear(),
    async more(count) {
      const until = new Map([...answered].map(([name, before]) => [name, before + count]))
      while ([...until].some(([name, least]) => (answered.get(name) ?? 0) < least)) await pause(5)
    },
    async leave() {
      here = false
      await Promise.all(customers)
    },
  }
}

/** @returns the status; 0 when nobody answered */
async function pay({ url, name }: Node, kind: Kind, number: number): Promise<number> {
  const headers = { 'x-api-key': `demo-key-${kind}`, 'x-customer': `${name}-${kind}-${number}` }
  try {
    const answer = await fetch(`${url}/checkout`, { method: 'POST', headers, body: 'a basket' })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 0
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
