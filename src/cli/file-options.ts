/** The options of every command that reads a policy. */

export const FILE_OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * The files that were named: `-f a b` names two, as a shell's `-f policy/*.yaml` would.
 * @param command for the message
 * @throws Error when there is none
 */
export function namedFiles(
  command: string,
  values: { readonly file?: readonly string[] | undefined },
  positionals: readonly string[],
): readonly string[] {
  const files = [...(values.file ?? []), ...positionals]
  if (files.length === 0) throw new Error(`Which files? postern ${command} -f FILE_OR_FOLDER`)
  return files
}
