/** A local reply as a response, where no chain has to see it first. */
import { type LocalReply } from '../proxy-wasm/index.ts'
import { toHeadersInit } from '../proxy-wasm/stream/fetch-headers.ts'
import { prepareLocalReply } from '../proxy-wasm/stream/local-reply.ts'

/** @param method - of the request: HEAD has no body */
export function localReplyResponse(reply: LocalReply, method: string): Response {
  const { headers, body } = prepareLocalReply(reply, false, method === 'HEAD')
  return new Response(body.length === 0 ? null : body, {
    status: reply.status,
    headers: toHeadersInit(headers, () => undefined),
  })
}
