/**
 * What stands behind `-f`, read and checked field by field: where `validate`, `diff` and `apply` begin.
 */
import { readDocuments } from '../config/documents.ts'
import type { PlacedProblem, ReadResources } from '../config/documents.ts'
import { checkCapabilities } from './check-capabilities.ts'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { countProblems } from './print.ts'
import { readFiles } from './read-files.ts'

export const FILES_HELP = `  -f, --file PATH    a YAML or JSON file, a folder of them (names that begin with a dot are
                     left out), or - for stdin; may be repeated`

export interface PolicyFiles extends ReadResources {
  /** How many files were read. */
  readonly files: number
}

/**
 * Reads every file and folder.
 * @param paths as the operator wrote them
 * @returns what is sound, and everything that is wrong
 */
export async function readPolicyFiles(paths: readonly string[], io: CliIo): Promise<PolicyFiles> {
  const { files, problems: missing } = await readFiles(io.cwd, paths, io.stdin)
  const read = readDocuments(files)
  const problems = [...missing, ...read.problems, ...checkCapabilities(read.resources)]
  return { ...read, problems, files: files.length }
}

/**
 * The same for commands that go on only with files that are whole.
 * @throws CommandError with every problem of every file
 */
export async function soundPolicyFiles(paths: readonly string[], io: CliIo): Promise<PolicyFiles> {
  const read = await readPolicyFiles(paths, io)
  if (read.problems.some(({ severity }) => severity === 'error')) {
    throw refusedBy(read.problems, 'Nothing was written')
  }
  if (read.resources.length === 0) {
    throw new CommandError('config.file_missing', `no resources in ${paths.join(', ')}`)
  }
  return read
}

/** An error that shows all problems and says what came of it. */
export function refusedBy(problems: readonly PlacedProblem[], outcome: string): CommandError {
  const code = problems.find(({ severity }) => severity === 'error')?.code ?? 'config.invalid'
  return new CommandError(code, `${countProblems(problems)}. ${outcome}`, { problems })
}
