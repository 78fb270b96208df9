/**
 * The gateway without Cloudflare: give it a configuration source, modules and what it can reach.
 * @module
 */
export { errorResponse, GATEWAY_ERRORS, type GatewayErrorCode } from './errors.ts'
export { Gateway, type GatewayOptions } from './gateway.ts'
export { boundModules, type ModuleSource } from './modules.ts'
export type { GatewayNode } from './node.ts'
export { preflight } from './preflight.ts'
export { type DueTicks, SingletonHost, type SingletonHostOptions } from './singleton-host.ts'
export type { QueueBatch, QueueItem, Singletons } from './singletons.ts'
export type { GatewayStatus, PluginStatus } from './status.ts'
export type { Fetcher, Reachable } from './upstream.ts'
