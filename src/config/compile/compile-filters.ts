/** The filters of a rule or a backend → what is done, in the form in which it is done. */
import type { FieldPath } from '../problem.ts'
import type { BackendReference } from '../resources/backend-ref.ts'
import type { HeaderFilter } from '../resources/header-filter.ts'
import type { HttpRouteFilter, PathModifier } from '../resources/http-route-filters.ts'
import type { HeaderEdits, Mirror, PathEdit, Redirect, Rewrite, RouteMatch } from '../snapshot.ts'

export interface CompiledFilters {
  readonly requestHeaders?: HeaderEdits
  readonly responseHeaders?: HeaderEdits
  readonly redirect?: Redirect
  readonly rewrite?: Rewrite
  readonly mirrors?: readonly Mirror[]
}

export interface FilterContext {
  /** Where the list stands. */
  readonly at: FieldPath
  /** Of the rule. */
  readonly matches: readonly RouteMatch[]
  /** @param path from the top of the resource */
  readonly invalid: (path: FieldPath, message: string) => void
  /** @returns the upstream, or undefined when that was reported */
  readonly upstream: (backend: BackendReference, path: FieldPath) => string | undefined
}

/** Which member belongs to a type. */
const MEMBERS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
} as const

/** What HTTP or the platform sets itself: an edit would be lost, or break the message. */
const NOT_EDITED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export function compileFilters(
  filters: readonly HttpRouteFilter[],
  context: FilterContext,
): CompiledFilters {
  const { at, invalid } = context
  const seen = new Set<string>()
  const mirrors: Mirror[] = []
  const compiled: { -readonly [K in keyof CompiledFilters]: CompiledFilters[K] } = {}
  for (const [index, filter] of filters.entries()) {
    const path = [...at, index]
    const { type } = filter
    if (seen.has(type) && type !== 'RequestMirror') {
      invalid([...path, 'type'], `there is another filter ${type}; write one`)
    }
    seen.add(type)
    checkMembers(filter, path, invalid)
    const inside = [...path, MEMBERS[type]]
    if (type === 'RequestHeaderModifier' && filter.requestHeaderModifier !== undefined) {
      compiled.requestHeaders = headerEdits(filter.requestHeaderModifier, inside, invalid)
    } else if (type === 'ResponseHeaderModifier' && filter.responseHeaderModifier !== undefined) {
      compiled.responseHeaders = headerEdits(filter.responseHeaderModifier, inside, invalid)
    } else if (type === 'RequestMirror' && filter.requestMirror !== undefined) {
      mirrors.push(...mirror(filter.requestMirror, inside, context))
    } else if (type === 'RequestRedirect' && filter.requestRedirect !== undefined) {
      const { statusCode: status = 302, path: edit, ...rest } = filter.requestRedirect
      const newPath = pathEdit(edit, [...inside, 'path'], context)
      compiled.redirect = { ...rest, ...newPath, status }
    } else if (type === 'URLRewrite' && filter.urlRewrite !== undefined) {
      const { hostname, path: edit } = filter.urlRewrite
      const newPath = pathEdit(edit, [...inside, 'path'], context)
      compiled.rewrite = { ...(hostname === undefined ? {} : { hostname }), ...newPath }
    }
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite')) {
    invalid(at, 'a rule redirects or rewrites; write one of RequestRedirect and URLRewrite')
  }
  return mirrors.length === 0 ? compiled : { ...compiled, mirrors }
}

function checkMembers(
  filter: HttpRouteFilter,
  path: FieldPath,
  invalid: FilterContext['invalid'],
): void {
  for (const [type, member] of Object.entries(MEMBERS)) {
    if (type === filter.type && filter[member] === undefined) {
      invalid(path, `expected ${JSON.stringify(member)}, as the type is ${type}`)
    } else if (type !== filter.type && filter[member] !== undefined) {
      invalid(
        [...path, member],
        `expected no ${JSON.stringify(member)}: the type is ${filter.type}`,
      )
    }
  }
}

function headerEdits(
  { set = [], add = [], remove = [] }: HeaderFilter,
  path: FieldPath,
  invalid: FilterContext['invalid'],
): HeaderEdits {
  const seen = new Set<string>()
  const check = (name: string, at: FieldPath): string => {
    const key = name.toLowerCase()
    if (NOT_EDITED.has(key)) {
      const hint = key === 'host' ? 'write URLRewrite' : 'it speaks of one connection'
      invalid([...path, ...at], `the header ${key} cannot be edited: ${hint}`)
    } else if (seen.has(key)) {
      invalid([...path, ...at], `the header ${key} stands in this filter twice`)
    }
    seen.add(key)
    return key
  }
  const lines = (list: typeof set, member: string): [string, string][] =>
    list.map(({ name, value }, index) => [check(name, [member, index, 'name']), value])
  const edits = { set: lines(set, 'set'), add: lines(add, 'add') }
  const removed = remove.map((name, index) => check(name, ['remove', index]))
  return {
    ...(edits.set.length === 0 ? {} : { set: edits.set }),
    ...(edits.add.length === 0 ? {} : { add: edits.add }),
    ...(removed.length === 0 ? {} : { remove: removed }),
  }
}

function pathEdit(
  modifier: PathModifier | undefined,
  path: FieldPath,
  { matches, invalid }: FilterContext,
): { readonly path?: PathEdit } {
  if (modifier === undefined) return {}
  const { type, replaceFullPath, replacePrefixMatch } = modifier
  const full = type === 'ReplaceFullPath'
  const [wanted, other] = full
    ? ['replaceFullPath', 'replacePrefixMatch']
    : ['replacePrefixMatch', 'replaceFullPath']
  const value = full ? replaceFullPath : replacePrefixMatch
  if (value === undefined) invalid(path, `expected "${wanted}", as the type is ${type}`)
  if ((full ? replacePrefixMatch : replaceFullPath) !== undefined) {
    invalid([...path, other as string], `expected no "${other}": the type is ${type}`)
  }
  if (!full && matches.some((match) => match.path.type !== 'PathPrefix')) {
    invalid(
      [...path, 'type'],
      'expected PathPrefix in every match of the rule: it says what is replaced',
    )
  }
  return { path: { type: full ? 'full' : 'prefix', value: value ?? '' } }
}

function mirror(
  { backendRef, percent, fraction }: NonNullable<HttpRouteFilter['requestMirror']>,
  path: FieldPath,
  { invalid, upstream }: FilterContext,
): Mirror[] {
  if (percent !== undefined && fraction !== undefined) {
    invalid(path, 'expected one of percent and fraction')
  }
  const { numerator, denominator = 100 } = fraction ?? { numerator: percent ?? 100 }
  if (numerator > denominator) {
    invalid([...path, 'fraction', 'numerator'], `expected ${denominator} at the most`)
  }
  const found = upstream(backendRef, [...path, 'backendRef'])
  return found === undefined ? [] : [{ upstream: found, numerator, denominator }]
}
