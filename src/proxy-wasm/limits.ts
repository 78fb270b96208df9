/** Every bound of the machine, each with its reason. A plugin's own limits start from these. */
export interface PluginLimits {
  /** Bytes of body one plugin may hold in one direction before 413 (request) or 500 (response). */
  readonly bodyBytes: number
  /** Callouts one stream may have started in all. */
  readonly calloutsPerRequest: number
  /** Milliseconds a stream may stay paused before it follows the plugin's fail strategy. */
  readonly pauseMs: number
  /** Lines a plugin may log in a second; what is over is dropped, and one line says how many. */
  readonly logLinesPerSecond: number
}

/**
 * 1 MiB is Envoy's default buffer limit; a minute is longer than any upstream timeout in use;
 * a thousand lines a second is more than anybody reads, and less than what stops a log pipeline.
 */
export const DEFAULT_LIMITS: PluginLimits = {
  bodyBytes: 1024 * 1024,
  calloutsPerRequest: 50,
  pauseMs: 60_000,
  logLinesPerSecond: 1_000,
}

/** A callout without a timeout of its own must end before its request's `waitUntil` does (30 s on the edge). */
export const CALLOUT_MAX_MS = 30_000

/**
 * Callouts that root contexts may begin in one request, each: what the edge gives a request in all. A guest
 * that calls again from each answer would never come to an end where answers come at once.
 */
export const ROOT_CALLOUTS_MAX = 10_000

/** Guest memory of one isolate: half of what an edge isolate has in all, which the gateway shares. */
export const VM_MEMORY_BYTES: number = 64 * 1024 * 1024

/** How long a replaced plugin's streams may go on before they follow the fail strategy. */
export const DRAIN_MS: number = 10 * 60 * 1000

/** How late a callout may be before the next turn takes it for abandoned. */
export const CALLOUT_GRACE_MS = 250

/** A callout's reply is buffered whole: what Envoy's async client would buffer with its default limit. */
export const CALLOUT_BODY_BYTES: number = 4 * 1024 * 1024

/** What is kept of one body, and of all that callouts of a stream bring, for a shadow run. */
export const SHADOW_BODY_BYTES: number = 128 * 1024

/** How long a shadow run may take, all waiting included: less than a request's `waitUntil` on the edge. */
export const SHADOW_MS = 5_000
