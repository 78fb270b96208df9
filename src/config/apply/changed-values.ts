/**
 * Where two JSON values differ, in words. What may hold secrets is never shown: of such a value only
 * numbers and booleans are, for everything else that it changed.
 */
import { canonicalJson } from '../canonical.ts'
import { formatPath } from '../problem.ts'
import type { FieldPath } from '../problem.ts'

export function same(a: unknown, b: unknown): boolean {
  return canonicalJson([a]) === canonicalJson([b])
}

/**
 * A line for each place in which two values differ, at the deepest paths.
 * @param secret whether the places with this path may hold secrets
 */
export function changedValues(
  from: unknown,
  to: unknown,
  secret: (path: FieldPath) => boolean = () => false,
  path: FieldPath = [],
): readonly string[] {
  if (same(from, to)) return []
  const both = isObject(from) && isObject(to) && Array.isArray(from) === Array.isArray(to)
  if (!both) return [changedValue(path, from, to, secret(path))]
  const lists = Array.isArray(from) && !secret(path) && [...from, ...list(to)].every(isPlain)
  if (lists) return [changedValue(path, from, to, false)]
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  // what was stored has its members sorted, what was just compiled has not
  if (!Array.isArray(to)) keys.sort()
  return keys.flatMap((key) => {
    const part = Array.isArray(to) ? Number(key) : key
    return changedValues(member(from, key), member(to, key), secret, [...path, part])
  })
}

function changedValue(path: FieldPath, from: unknown, to: unknown, secret: boolean): string {
  const name = formatPath(path) || 'all of it'
  if (!secret || (isPlainSight(from) && isPlainSight(to))) {
    return `${name} ${shown(from)} → ${shown(to)}`
  }
  const how = from === undefined ? 'added' : to === undefined ? 'removed' : 'changed'
  return `${name} ${how}`
}

const MAX_SHOWN = 80

function shown(value: unknown): string {
  if (value === undefined) return 'unset'
  if (typeof value === 'string' && /^[\w./:*@-]+$/.test(value)) return value
  if (Array.isArray(value) && value.length > 0 && value.every(isPlain)) {
    return cut(value.map((one) => shown(one)).join(', '))
  }
  return cut(canonicalJson(value))
}

function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function isPlainSight(value: unknown): boolean {
  return value === undefined || typeof value === 'number' || typeof value === 'boolean'
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function member(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}
