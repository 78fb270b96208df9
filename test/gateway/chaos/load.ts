/** Requests that go on while something else happens. */
import { send } from '../../support/client.ts'

export interface Loaded<T> {
  readonly result: T
  readonly requests: number
  /** What was not answered with 200, one line each. */
  readonly failed: readonly string[]
  /** Every `x-mark` that was seen. */
  readonly marks: ReadonlySet<string>
}

/** Requests before the work begins and after it has ended, so that both sides are seen. */
const AROUND = 6

/** @param work - goes on under the load of four clients */
export async function underLoad<T>(url: string, work: () => Promise<T>): Promise<Loaded<T>> {
  const failed: string[] = []
  const marks = new Set<string>()
  let requests = 0
  let ends = Number.POSITIVE_INFINITY
  const client = async (): Promise<void> => {
    while (requests < ends) {
      requests++
      const reply = await send(`${url}/`).catch((error: unknown) => String(error))
      if (typeof reply === 'string') failed.push(reply)
      else if (reply.status !== 200) failed.push(`${reply.status} ${reply.text}`)
      else marks.add(reply.header('x-mark') ?? 'none')
    }
  }
  const clients = Array.from({ length: 4 }, client)
  while (requests < AROUND) await new Promise((resolve) => setTimeout(resolve, 5))
  try {
    const result = await work()
    return await finished(result)
  } finally {
    ends = 0
    await Promise.all(clients)
  }

  async function finished(result: T): Promise<Loaded<T>> {
    ends = requests + AROUND
    await Promise.all(clients)
    return { result, requests, failed, marks }
  }
}
