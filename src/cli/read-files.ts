/**
 * The files behind `-f`: each is a YAML or JSON file, or a folder whose files of these kinds are read,
 * with its folders, in the order of their names; names that begin with a dot are left out, as by a shell.
 * `-` is standard input.
 */
import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { PlacedProblem, SourceFile } from '../config/documents.ts'
import { NotUtf8, utf8Text } from './utf8-text.ts'

/** What the admin API takes in one request. */
const MAX_FILE_BYTES = 20 * 1024 * 1024

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
  stdin?: () => Promise<Uint8Array>,
): Promise<ReadFiles> {
  const files = new Map<string, SourceFile>()
  const problems: PlacedProblem[] = []
  const add = (key: string, name: string, bytes: Uint8Array): void => {
    try {
      files.set(key, { name, text: utf8Text(bytes) })
    } catch (error) {
      if (!(error instanceof NotUtf8)) throw error
      const { message, line, column } = error
      const about = { code: 'config.syntax', severity: 'error', resource: '', path: [] } as const
      problems.push({ ...about, message, file: name, line, column })
    }
  }
  for (const path of paths) {
    try {
      if (path === '-') {
        if (stdin === undefined) throw new Error('there is no standard input here')
        if (!files.has('-')) add('-', 'stdin', await stdin())
        continue
      }
      // an unset variable of a script: the working directory is not what was meant
      if (path === '') throw new Error('the path is empty; write . for this folder')
      const found = await filesOf(resolve(cwd, path))
      if (found.length === 0) {
        problems.push(missing(path, 'a folder without .yaml, .yml and .json files'))
      }
      for (const one of found) {
        const name = relative(cwd, one)
        // A file outside the working directory is named as it was written.
        const shown = name.startsWith('..') ? one : name
        try {
          const { size } = await stat(one)
          if (size > MAX_FILE_BYTES) problems.push(missing(shown, tooLarge(size)))
          else add(one, shown, await readFile(one))
        } catch (error) {
          problems.push(missing(shown, reason(error)))
        }
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
    // mounted ConfigMaps and editors keep second copies under such names
    if (entry.name.startsWith('.')) continue
    const inside = join(path, entry.name)
    if (entry.isDirectory()) found.push(...(await filesOf(inside)))
    else if (/\.(ya?ml|json)$/.test(entry.name) && !endless(entry)) found.push(inside)
  }
  return found
}

/** Reading such an entry would wait for whoever writes to it. */
function endless(entry: Dirent): boolean {
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()
}

function tooLarge(bytes: number): string {
  return `the file has ${(bytes / 1024 / 1024).toFixed(1)} MiB; a gateway takes 20 MiB at the most`
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file or folder'
  if (code === 'EACCES') return 'it may not be read'
  if (code === 'ELOOP') return 'a symbolic link that leads to itself'
  return error instanceof Error ? error.message : String(error)
}

function missing(file: string, message: string): PlacedProblem {
  const about = { code: 'config.file_missing', severity: 'error', resource: '', path: [] } as const
  return { ...about, message, file, line: 0, column: 0 }
}
