/** Customers: the same few requests over and over, and what they are answered with. */
import { send } from '../../test/support/client.ts'
import { API_KEY, COUNTRIES } from './policy.ts'

interface Visit {
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
}

// the cookie keeps the visitor in his variant: else each answer sets another one
const COOKIE = ['cookie', 'ab_checkout=new'] as const
const VISITS: readonly Visit[] = [
  { path: '/orders/1001', headers: [COOKIE] },
  ...COUNTRIES.map((country): Visit => ({
    path: `/api/${country}/stock`,
    // whoever comes without a key is turned away, before, meanwhile and afterwards
    headers: country === 'fr' ? [COOKIE] : [COOKIE, ['x-api-key', API_KEY]],
  })),
]

/** What every visit is answered with, as text; what differs in every answer is left out. */
export type Answers = readonly string[]

/** Makes each visit once. */
export async function visitAll(url: string): Promise<Answers> {
  return Promise.all(VISITS.map((visit) => answer(url, visit)))
}

export interface Crowd {
  readonly requests: number
  /** Answers that were not as expected: each once. */
  readonly different: ReadonlySet<string>
  /** Waits until so many more requests were answered. */
  more(count: number): Promise<void>
  leave(): Promise<void>
}

/** Visits until it leaves. @param expected - what each visit is answered with */
export function crowd(url: string, expected: Answers): Crowd {
  const different = new Set<string>()
  let [asked, requests] = [0, 0]
  let here = true
  const customer = async (): Promise<void> => {
    while (here) {
      const turn = asked++ % VISITS.length
      const got = await answer(url, VISITS[turn] as Visit).catch(String)
      if (got !== expected[turn]) different.add(got)
      requests++
    }
  }
  const customers = [customer(), customer(), customer(), customer()]
  return {
    get requests() {
      return requests
    },
    different,
    async more(count) {
      const until = requests + count
      while (requests < until) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async leave() {
      here = false
      await Promise.all(customers)
    },
  }
}

async function answer(url: string, { path, headers }: Visit): Promise<string> {
  const reply = await send(`${url}${path}`, { headers })
  const lines = reply.headers
    .filter(([name]) => name.toLowerCase() !== 'date')
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  return [`${path} ${reply.status}`, ...lines.sort(), reply.text].join('\n')
}
