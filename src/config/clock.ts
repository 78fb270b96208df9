/** Time for the part that refreshes configuration, as a port: tests turn the clock by hand. */
export interface ConfigClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Ends after `ms` milliseconds, in the I/O context that asked. */
  sleep(ms: number): Promise<void>
}

/** The clock of the platform. On Workers it moves on I/O only, which is what a refresh waits for. */
export const systemClock: ConfigClock = {
  now: () => Date.now(),
  sleep: (ms) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    }),
}
