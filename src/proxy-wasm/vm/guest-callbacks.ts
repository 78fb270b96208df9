/**
 * A guest's callbacks, looked up once per vm. An absent callback is undefined; one that the plugin's
 * capabilities do not allow is treated as absent, as in Envoy.
 */
import type { AbiVersion } from '../abi/enums.ts'

/** A guest function: i32 in, i32 (or nothing) out. Surplus arguments are dropped by the engine. */
export type GuestFunction = (...args: number[]) => number | undefined

export class GuestCallbacks {
  readonly contextCreate: GuestFunction | undefined
  readonly vmStart: GuestFunction | undefined
  readonly configure: GuestFunction | undefined
  readonly tick: GuestFunction | undefined
  readonly queueReady: GuestFunction | undefined
  readonly requestHeaders: GuestFunction | undefined
  readonly requestBody: GuestFunction | undefined
  readonly responseHeaders: GuestFunction | undefined
  readonly responseBody: GuestFunction | undefined
  readonly httpCallResponse: GuestFunction | undefined
  readonly grpcInitialMetadata: GuestFunction | undefined
  readonly grpcReceive: GuestFunction | undefined
  readonly grpcTrailingMetadata: GuestFunction | undefined
  readonly grpcClose: GuestFunction | undefined
  readonly foreignFunction: GuestFunction | undefined
  readonly done: GuestFunction | undefined
  readonly log: GuestFunction | undefined
  readonly delete: GuestFunction | undefined

  /**
   * @param exports - the instance's exports
   * @param allowed - names of callbacks and host functions the plugin may use; undefined allows all
   */
  constructor(exports: WebAssembly.Exports, allowed: ReadonlySet<string> | undefined) {
    const find = (name: string): GuestFunction | undefined => {
      const exported = exports[name]
      if (typeof exported !== 'function') return undefined
      return allowed === undefined || allowed.has(name) ? (exported as GuestFunction) : undefined
    }
    this.contextCreate = find('proxy_on_context_create')
    this.vmStart = find('proxy_on_vm_start')
    this.configure = find('proxy_on_configure')
    this.tick = find('proxy_on_tick')
    this.queueReady = find('proxy_on_queue_ready')
    this.requestHeaders = find('proxy_on_request_headers')
    this.requestBody = find('proxy_on_request_body')
    this.responseHeaders = find('proxy_on_response_headers')
    this.responseBody = find('proxy_on_response_body')
    this.httpCallResponse = find('proxy_on_http_call_response')
    this.grpcInitialMetadata = find('proxy_on_grpc_receive_initial_metadata')
    this.grpcReceive = find('proxy_on_grpc_receive')
    this.grpcTrailingMetadata = find('proxy_on_grpc_receive_trailing_metadata')
    this.grpcClose = find('proxy_on_grpc_close')
    this.foreignFunction = find('proxy_on_foreign_function')
    this.done = find('proxy_on_done')
    this.log = find('proxy_on_log')
    this.delete = find('proxy_on_delete')
  }
}

/** How the guest allocates. `malloc` comes first, as Envoy looks it up. */
export function findAllocator(exports: WebAssembly.Exports): GuestFunction | undefined {
  for (const name of ['malloc', 'proxy_on_memory_allocate']) {
    const exported = exports[name]
    if (typeof exported === 'function') return exported as GuestFunction
  }
  return undefined
}

/** Whether an ABI version answers a missing header with OK and no value rather than NOT_FOUND. */
export function missingHeaderIsEmpty(abi: AbiVersion): boolean {
  return abi === '0.1.0'
}
