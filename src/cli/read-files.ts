/**
 * The files behind `-f`: each is a YAML or JSON file, or a folder whose files of these kinds are read,
 * with its folders, in the order of their names. `-` is standard input.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { PlacedProblem, SourceFile } from '../config/documents.ts'

export interface ReadFiles {
  readonly files: readonly SourceFile[]
  readonly problems: readonly PlacedProblem[]
}

/**
 * @param cwd where relative paths start
 * @param paths files and folders as the operator wrote them
 * @param stdin reads standard input; absent where there is none
 */
export async function readFiles(
  cwd: string,
  paths: readonly string[],
  stdin?: () => Promise<string>,
): Promise<ReadFiles> {
  const files = new Map<string, SourceFile>()
  const problems: PlacedProblem[] = []
  for (const path of paths) {
    try {
      if (path === '-') {
        if (stdin === undefined) throw new Error('there is no standard input here')
        if (!files.has('-')) files.set('-', { name: 'stdin', text: await stdin() })
        continue
      }
      const found = await filesOf(resolve(cwd, path))
      if (found.length === 0) {
        problems.push(missing(path, 'a folder without .yaml, .yml and .json files'))
      }
      for (const one of found) {
        const name = relative(cwd, one)
        // A file outside the working directory is named as it was written.
        const shown = name.startsWith('..') ? one : name
        files.set(one, { name: shown, text: await readFile(one, 'utf8') })
      }
    } catch (error) {
      problems.push(missing(path, reason(error)))
    }
  }
  return { files: [...files.values()], problems }
}

async function filesOf(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) found.push(...(await filesOf(inside)))
    else if (/\.(ya?ml|json)$/.test(entry.name)) found.push(inside)
  }
  return found
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file or folder'
  if (code === 'EACCES') return 'it may not be read'
  return error instanceof Error ? error.message : String(error)
}

function missing(file: string, message: string): PlacedProblem {
  const about = { code: 'config.file_missing', severity: 'error', resource: '', path: [] } as const
  return { ...about, message, file, line: 0, column: 0 }
}
