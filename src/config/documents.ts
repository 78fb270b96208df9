/**
 * YAML and JSON files → resources, with the place of everything kept, so that whatever is wrong is
 * reported with file, line and column, all at once. For the command line: the gateway never sees
 * YAML, and this file is not part of what is deployed.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import type { Document, Pair } from 'yaml'
import { findInNodes, TOO_DEEP } from './document-nodes.ts'
import type { FieldPath, Problem } from './problem.ts'
import { checkResource } from './resources/check-resource.ts'
import type { Resource } from './resources/kinds.ts'
import { resourceKey } from './resources/resource-key.ts'

export interface SourceFile {
  /** As an operator knows it, for messages. */
  readonly name: string
  readonly text: string
}

export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

export interface PlacedProblem extends Problem, Place {}

export interface PlacedResource {
  readonly resource: Resource
  readonly file: string
  /** @returns where what a problem is about stands; a missing field is where it would have to be */
  place(problem: Pick<Problem, 'code' | 'path'>): Place
}

export interface ReadResources {
  /** The sound ones, in the order of files and documents. */
  readonly resources: readonly PlacedResource[]
  readonly problems: readonly PlacedProblem[]
  /** What could be read and is no resource as it stands, with what is wrong in it. */
  readonly unsound: readonly UnsoundDocument[]
}

export interface UnsoundDocument {
  readonly value: unknown
  readonly problems: readonly Problem[]
}

/**
 * Reads every document of every file.
 * @param files in the order in which they are to be read
 */
export function readDocuments(files: readonly SourceFile[]): ReadResources {
  const resources = new Map<string, PlacedResource>()
  const problems: PlacedProblem[] = []
  const unsound: UnsoundDocument[] = []
  for (const file of files) {
    const lines = new LineCounter()
    const at = (offset: number): Place => {
      const { line, col } = lines.linePos(offset)
      return { file: file.name, line, column: col }
    }
    for (const document of parsed(file.text, lines)) {
      const broken = syntaxProblems(document, at)
      problems.push(...broken)
      const value = broken.length > 0 ? null : valueOf(document, at, problems)
      if (value === null) continue
      const place: PlacedResource['place'] = ({ code, path }) =>
        at(offsetOf(document, path, code === 'config.unknown_field'))
      const checked = checkResource(value)
      for (const problem of checked.problems) problems.push({ ...problem, ...place(problem) })
      if (checked.resource === undefined) {
        unsound.push({ value, problems: checked.problems })
        continue
      }
      const placed: PlacedResource = { resource: checked.resource, file: file.name, place }
      const key = resourceKey(checked.resource)
      const first = resources.get(key)
      if (first === undefined) resources.set(key, placed)
      else problems.push(duplicate(key, placed, first))
    }
  }
  return { resources: [...resources.values()], problems, unsound }
}

/**
 * Errors are printed with a place of our own, so without the library's picture of the line. Keys that are
 * there twice are found below: the library compares each with all others, which takes minutes for a long list.
 */
function parsed(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  return parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
}

/** @returns null for an empty document, and for one whose aliases would make far more of it than it is */
function valueOf(
  document: Document.Parsed,
  at: (offset: number) => Place,
  problems: PlacedProblem[],
): unknown {
  try {
    return document.toJS()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const about = { code: 'config.syntax', severity: 'error', resource: '', path: [] } as const
    problems.push({ ...about, message, ...at(document.range[0]) })
    return null
  }
}

/**
 * Gives a place to problems that came from elsewhere (a compilation, a gateway) by the resources they
 * are about. A problem about a resource that is in no file is placed nowhere, at line 0.
 */
export function placeProblems(
  problems: readonly Problem[],
  resources: readonly PlacedResource[],
): readonly PlacedProblem[] {
  const byKey = new Map(resources.map((placed) => [resourceKey(placed.resource), placed]))
  return problems.map((problem): PlacedProblem => {
    const placed = byKey.get(problem.resource)
    const nowhere = { file: '', line: 0, column: 0 }
    return Object.assign({}, problem, placed?.place(problem) ?? nowhere)
  })
}

function duplicate(key: string, second: PlacedResource, first: PlacedResource): PlacedProblem {
  const about = { code: 'config.duplicate', path: ['metadata', 'name'] } as const
  const { file, line } = first.place(about)
  const message = `${key} is in ${file}, line ${line}, already`
  return { ...about, severity: 'error', resource: key, message, ...second.place(about) }
}

/** What makes a document unreadable, and numbers that JSON could not hold. */
function syntaxProblems(
  document: Document.Parsed,
  at: (offset: number) => Place,
): readonly PlacedProblem[] {
  const problem = (message: string, offset: number, code: Problem['code']): PlacedProblem => ({
    code,
    severity: 'error',
    resource: '',
    path: [],
    message,
    ...at(offset),
  })
  const broken = [...document.errors, ...document.warnings].map((error) =>
    problem(readable(error.message), error.pos[0], 'config.syntax'),
  )
  // a document that breaks off has nodes all the same; what is wrong in them is told as well
  const found = findInNodes(document).map(({ message, offset, code }) =>
    problem(message, offset, code),
  )
  return [...broken, ...found]
}

function readable(message: string): string {
  // the parser calls itself for each level, and reports that there were too many in the engine's words
  return /call stack|stack overflow/i.test(message) ? TOO_DEEP : message
}

/**
 * Where a field stands in the text: its scalar, or its key where the value goes over lines.
 * @param named the field's name is what matters, so its key
 */
function offsetOf(document: Document.Parsed, path: FieldPath, named: boolean): number {
  let node: unknown = document.contents
  let offset = document.contents?.range[0] ?? 0
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isSeq(node) && typeof part === 'number') {
      node = node.items[part]
      offset = startOf(node) ?? offset
    } else if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item) === String(part))
      if (pair === undefined) return offset
      node = pair.value
      const plain = isScalar(node) && node.value !== null && !named
      const value = plain ? startOf(node) : undefined
      offset = value ?? startOf(pair.key) ?? offset
    } else {
      return offset
    }
  }
  return offset
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : ''
}

function startOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined
  return node.range?.[0]
}
