/** Where a rule sends clients to instead of answering them. */
import type { Redirect } from '../config/snapshot.ts'
import { emptyReply, type LocalReply } from '../proxy-wasm/stream/local-reply.ts'
import { editPath } from './path-edit.ts'

export interface RedirectedRequest {
  readonly scheme: string
  /** Host and port as the client asked for them. */
  readonly authority: string
  /** With query. */
  readonly path: string
}

const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/**
 * @param prefix what of the path the rule's PathPrefix matched
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httprequestredirectfilter
 */
export function redirectReply(
  redirect: Redirect,
  request: RedirectedRequest,
  prefix: string,
): LocalReply {
  const location = locationOf(redirect, request, prefix)
  return { ...emptyReply(redirect.status, 'direct_response'), headers: ['location', location] }
}

function locationOf(redirect: Redirect, request: RedirectedRequest, prefix: string): string {
  const asked = /^(.*?)(?::(\d+))?$/.exec(request.authority)
  const scheme = redirect.scheme ?? request.scheme
  const host = redirect.hostname ?? asked?.[1] ?? ''
  // a scheme brings its own port along; without one the client stays on the port it asked for
  const kept = redirect.scheme === undefined ? asked?.[2] : undefined
  const port = redirect.port === undefined ? kept : String(redirect.port)
  const path = redirect.path ? editPath(redirect.path, request.path, prefix) : request.path
  return `${scheme}://${host}${port === undefined || port === PORTS[scheme] ? '' : `:${port}`}${path}`
}
