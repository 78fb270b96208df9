/**
 * What a command gets from outside, so that tests can run one without a process: where it stands, what
 * it prints to, how it reaches the network. A command answers its exit code: 0 done, 1 refused or
 * failed, 2 called wrongly, 3 it is done and what it found is not what is wanted (`diff`, `status`).
 */
export interface CliIo {
  /** The working directory: relative paths start here. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Results. The text brings its own newlines. */
  stdout(text: string): void
  /** Errors and progress. */
  stderr(text: string): void
  /** How far long work has come, in place of what was said before; absent where nobody looks on. */
  progress?(text: string): void
  /** Results that take the place of all that was shown before; absent where they go to no screen. */
  redraw?(text: string): void
  readonly fetch: typeof fetch
  /** Everything on standard input; absent where there is none. */
  readonly stdin?: (() => Promise<Uint8Array>) | undefined
}
