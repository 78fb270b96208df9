/**
 * What the gateway answers when it cannot serve a request: a code that never changes its meaning, whose
 * fault it is, the status, and a sentence for the client. `docs/OPERATIONS.md` has an entry for each.
 */
import type { LocalReply } from '../proxy-wasm/index.ts'
import { textToBytes } from '../proxy-wasm/memory/byte-string.ts'

export type Fault = 'client' | 'plugin' | 'upstream' | 'gateway'

interface GatewayError {
  readonly fault: Fault
  readonly status: number
  readonly message: string
}

export type GatewayErrorCode =
  | 'route.none'
  | 'route.no_backend'
  | 'upstream.unknown'
  | 'upstream.unreachable'
  | 'upstream.timeout'
  | 'upstream.ejected'
  | 'upstream.path_denied'
  | 'config.none'
  | 'gateway.internal'

export const GATEWAY_ERRORS: Readonly<Record<GatewayErrorCode, GatewayError>> = {
  'route.none': { fault: 'client', status: 404, message: 'No route matches this request.' },
  'route.no_backend': {
    fault: 'gateway',
    status: 500,
    message: 'The route has no backend for this request.',
  },
  'upstream.unknown': {
    fault: 'gateway',
    status: 500,
    message: 'The route names an upstream that is not bound here.',
  },
  'upstream.unreachable': {
    fault: 'upstream',
    status: 502,
    message: 'The upstream could not be reached.',
  },
  'upstream.timeout': {
    fault: 'upstream',
    status: 504,
    message: 'The upstream did not answer in time.',
  },
  'upstream.ejected': {
    fault: 'upstream',
    status: 503,
    message: 'The upstream has failed too often and is left alone for a while.',
  },
  'upstream.path_denied': {
    fault: 'client',
    status: 403,
    message: 'This path of the upstream may not be asked for.',
  },
  'config.none': {
    fault: 'gateway',
    status: 503,
    message: 'This gateway has no configuration yet.',
  },
  'gateway.internal': { fault: 'gateway', status: 500, message: 'The gateway failed.' },
}

/** The error as a reply that still goes through the response callbacks of the chain. */
export function errorReply(code: GatewayErrorCode): LocalReply {
  return {
    status: GATEWAY_ERRORS[code].status,
    details: code,
    headers: ['content-type', 'application/json'],
    body: textToBytes(errorBody(code)),
    grpcStatus: undefined,
  }
}

/** The error as a response, where no chain has run. */
export function errorResponse(code: GatewayErrorCode): Response {
  return new Response(errorBody(code), {
    status: GATEWAY_ERRORS[code].status,
    headers: { 'content-type': 'application/json' },
  })
}

function errorBody(code: GatewayErrorCode): string {
  return JSON.stringify({ error: { code, message: GATEWAY_ERRORS[code].message } })
}
