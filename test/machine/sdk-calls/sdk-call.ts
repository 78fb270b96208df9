/** One row of a table of SDK calls. */
export type SdkCall = readonly [
  /** As the SDK names it. */
  call: string,
  /** The host function that it comes down to. */
  host: string,
  /** Names of the scripts that make the call and show what came of it. */
  ...scripts: readonly [string, ...string[]],
]
