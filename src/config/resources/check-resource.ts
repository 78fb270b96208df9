/**
 * Checks one document: which kind it is, every field of it. Reports everything that is wrong at once
 * and hands the resource on only when nothing is.
 */
import * as v from 'valibot'
import { nearest } from '../nearest.ts'
import type { FieldPath, Problem } from '../problem.ts'
import { formatPath } from '../problem.ts'
import type { Finding } from './check-fields.ts'
import { checkFields } from './check-fields.ts'
import { resourceKey } from './resource-key.ts'
import type { Kind, Resource } from './kinds.ts'
import { KINDS } from './kinds.ts'
import { OUTSIDE_KINDS } from './outside-kinds.ts'

export interface CheckedResource {
  /** Absent when an error was found. */
  readonly resource?: Resource
  readonly problems: readonly Problem[]
}

/**
 * @param value a document as it came out of YAML or JSON
 * @returns the resource, typed, and what was found
 */
export function checkResource(value: unknown): CheckedResource {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `expected a resource with apiVersion, kind, metadata and spec, got ${typeName(value)}`
    return { problems: [toProblem({ code: 'config.invalid', path: [], message }, '')] }
  }
  const resource = resourceKey(value)
  const found = findKind(value)
  if ('message' in found) return { problems: [toProblem(found, resource)] }
  const named = checkFields(found.schema, value)
  const parsed = v.safeParse(found.schema, value)
  const shaped = (parsed.issues ?? []).map((issue) => shapeFinding(issue))
  // A field refused by name needs no second word about its shape.
  const taken = new Set(named.map((finding) => formatPath(finding.path)))
  const findings = [...named, ...shaped.filter((finding) => !taken.has(formatPath(finding.path)))]
  const problems = findings.map((finding) => toProblem(finding, resource))
  const sound = parsed.success && problems.every((problem) => problem.severity === 'warning')
  return sound ? { resource: parsed.output, problems } : { problems }
}

function toProblem({ code, path, message }: Finding, resource: string): Problem {
  const severity = code === 'config.no_effect' ? 'warning' : 'error'
  return { code, severity, resource, path, message }
}

function findKind(value: object): Kind | Finding {
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown }
  const known = KINDS.map((entry) => `${entry.apiVersion} ${entry.kind}`).join(', ')
  if (typeof kind !== 'string') {
    const message = `expected a kind, one of: ${known}`
    return { code: 'config.unknown_kind', path: ['kind'], message }
  }
  const entry = KINDS.find((candidate) => candidate.kind === kind)
  if (entry?.apiVersion === apiVersion && entry !== undefined) return entry
  if (entry !== undefined) {
    const group = (text: string): string => text.slice(0, text.lastIndexOf('/') + 1)
    const other = typeof apiVersion === 'string' && group(apiVersion) !== group(entry.apiVersion)
    const hint = other ? `; the ${kind} of ${apiVersion} is another kind, with other fields` : ''
    const message = `expected apiVersion ${entry.apiVersion} for kind ${kind}${hint}`
    return { code: 'config.unknown_kind', path: ['apiVersion'], message }
  }
  const why = Object.hasOwn(OUTSIDE_KINDS, kind) ? OUTSIDE_KINDS[kind] : undefined
  if (why !== undefined) {
    const message = `kind ${kind} is outside the supported subset: ${why}`
    return { code: 'config.unsupported', path: ['kind'], message }
  }
  const near = nearest(
    kind,
    KINDS.map((candidate) => candidate.kind),
  )
  const hint = near === undefined ? `known: ${known}` : `did you mean ${near}?`
  const message = `there is no kind ${JSON.stringify(kind)}; ${hint}`
  return { code: 'config.unknown_kind', path: ['kind'], message }
}

function shapeFinding(issue: v.BaseIssue<unknown>): Finding {
  const path: FieldPath = (issue.path ?? []).map((item) =>
    typeof item.key === 'number' ? item.key : String(item.key),
  )
  const missing = issue.type === 'object' && issue.path?.at(-1)?.origin === 'key'
  if (missing) {
    return { code: 'config.invalid', path, message: `${JSON.stringify(path.at(-1))} is required` }
  }
  const expected = TYPE_NAMES[issue.type]
  const message =
    issue.kind === 'schema' && expected !== undefined
      ? `expected ${expected}, got ${typeName(issue.input)}${quoteHint(issue)}`
      : `${issue.message}${issue.type === 'picklist' ? `, got ${shown(issue.input)}` : ''}`
  return { code: 'config.invalid', path, message }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  custom: 'an object',
  array: 'a list',
}

/** YAML reads 8080 and true as what they look like. */
function quoteHint(issue: v.BaseIssue<unknown>): string {
  const scalar = typeof issue.input === 'number' || typeof issue.input === 'boolean'
  return issue.type === 'string' && scalar ? '; put it in quotes' : ''
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : typeName(value)
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
