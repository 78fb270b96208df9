/**
 * Walks a value beside its schema and says what a schema alone cannot: every field nobody knows with
 * the nearest one that exists, fields and values outside the supported subset by name, and accepted
 * fields without effect as warnings.
 */
import * as v from 'valibot'
import type { ErrorCode } from '../error-codes.ts'
import { nearest } from '../nearest.ts'
import type { FieldPath } from '../problem.ts'
import type { About } from './fields.ts'

export interface Finding {
  readonly code: ErrorCode
  readonly path: FieldPath
  readonly message: string
}

/** The parts of valibot's schemas that the walk looks at; each is there on some of them. */
interface Node extends v.GenericSchema {
  readonly entries?: Readonly<Record<string, Node>>
  readonly item?: Node
  readonly wrapped?: Node
}

/** What is said about a schema, also when it stands inside `exactOptional`. */
export function aboutOf(schema: v.GenericSchema): About {
  const node: Node = schema
  return node.wrapped === undefined ? v.getMetadata(node) : aboutOf(node.wrapped)
}

/**
 * @param schema the schema of `value`
 * @param path where `value` stands
 * @returns what was found, in the order of the value
 */
export function checkFields(
  schema: v.GenericSchema,
  value: unknown,
  path: FieldPath = [],
): readonly Finding[] {
  const node: Node = schema
  if (node.wrapped !== undefined) return checkFields(node.wrapped, value, path)
  const about = aboutOf(node)
  if (about.outside !== undefined) {
    return [{ code: 'config.unsupported', path, message: outsideMessage(path, about.outside) }]
  }
  const findings: Finding[] = []
  if (about.noEffect !== undefined) {
    const message = `has no effect here: ${about.noEffect}`
    findings.push({ code: 'config.no_effect', path, message })
  }
  const why = typeof value === 'string' ? about.outsideValues?.[value] : undefined
  if (why !== undefined) {
    const message = `${JSON.stringify(value)} is outside the supported subset: ${why}`
    findings.push({ code: 'config.unsupported', path, message })
  }
  if (node.entries !== undefined) findings.push(...checkMembers(node.entries, value, path))
  if (node.item !== undefined && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      findings.push(...checkFields(node.item, item, [...path, index]))
    }
  }
  return findings
}

function checkMembers(
  entries: Readonly<Record<string, Node>>,
  value: unknown,
  path: FieldPath,
): readonly Finding[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    return [{ code: 'config.invalid', path, message: 'expected an object, got a list' }]
  }
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    // editors read it; a resource does not have it
    if (name === '$schema' && path.length === 0) return []
    const at = [...path, name]
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
    if (entry !== undefined) return checkFields(entry, member, at)
    return [{ code: 'config.unknown_field', path: at, message: unknownMessage(name, entries) }]
  })
}

function unknownMessage(name: string, entries: Readonly<Record<string, Node>>): string {
  const usable = Object.keys(entries).filter((key) => {
    const about = aboutOf(entries[key] ?? v.unknown())
    return about.outside === undefined && about.noEffect === undefined
  })
  const near = nearest(name, usable)
  const hint =
    near === undefined
      ? `known here: ${usable.join(', ')}`
      : `did you mean ${JSON.stringify(near)}?`
  return `there is no field ${JSON.stringify(name)}; ${hint}`
}

function outsideMessage(path: FieldPath, why: string): string {
  return `${JSON.stringify(path.at(-1) ?? '')} is outside the supported subset: ${why}`
}
