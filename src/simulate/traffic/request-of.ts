/** A recorded request as Fetch has it. */
import type { RecordedExchange } from './exchange.ts'

/** @returns the request, each time a new one, or why there can be none */
export function requestOf(exchange: RecordedExchange): Request | string {
  const { method, url, headers, body } = exchange
  const bodiless = method === 'GET' || method === 'HEAD'
  try {
    const list = new Headers()
    for (const [name, value] of headers) {
      // Fetch takes host and length from URL and body
      if (name !== 'host' && name !== 'content-length') list.append(name, value)
    }
    const sent = bodiless || body === undefined || body.length === 0 ? null : body
    if (sent !== null && headers.some(([name]) => name === 'content-length')) {
      list.set('content-length', `${sent.length}`)
    }
    return new Request(url, { method, headers: list, body: sent, redirect: 'manual' })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
