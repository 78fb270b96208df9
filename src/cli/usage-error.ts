/**
 * What `parseArgs` throws, as a command's own error: exit code 2, and where to read more.
 * @param error what was thrown while the command line was read
 */
import { CommandError } from './command-error.ts'

export function usageError(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  return new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
}
