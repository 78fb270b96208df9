/** The schemas for editors and the check that counts say the same of the same documents. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { checkResource } from '../src/config/resources/check-resource.ts'
import { KINDS } from '../src/config/resources/kinds.ts'
import {
  envoyPolicy,
  extension,
  plugin,
  policy,
  route,
  upstream,
} from '../src/config/testing/resources.ts'
import { anyKindSchema, fileName, type JsonSchema, kindSchema } from './json-schema.ts'

const FILES = new Map(KINDS.map((kind) => [fileName(kind.kind), kindSchema(kind)]))

/** Where a value is not what a schema says: the few words that are used here, and no others. */
function wrong(schema: JsonSchema, value: unknown, path = ''): string[] {
  return Object.entries(schema).flatMap(([word, rule]): string[] => {
    const holds = RULES[word]
    if (holds === undefined) throw new Error(`what is ${word}?`)
    return holds(rule as never, value, path, schema)
  })
}

type Rule = (rule: never, value: unknown, path: string, schema: JsonSchema) => string[]
const rule =
  <R, V>(applies: (value: unknown) => value is V, holds: (rule: R, value: V) => boolean): Rule =>
  (asked, value, path) =>
    applies(value) && !holds(asked as R, value) ? [path] : []
const silent: Rule = () => []
const any = (_value: unknown): _value is unknown => true
const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isList = (value: unknown): value is unknown[] => Array.isArray(value)
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: isText,
  number: isNumber,
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  array: isList,
  object: isObject,
  null: (value) => value === null,
}

const RULES: Readonly<Record<string, Rule>> = {
  $schema: silent,
  title: silent,
  description: silent,
  deprecated: silent,
  errorMessage: silent,
  doNotSuggest: silent,
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
  then: silent,
  type: rule<string, unknown>(any, (type, value) => TYPES[type]?.(value) ?? false),
  const: rule<unknown, unknown>(any, (only, value) => value === only),
  enum: rule<unknown[], unknown>(any, (options, value) => options.includes(value)),
  not: (_rule, _value, path) => [path],
  pattern: rule<string, string>(isText, (source, value) => new RegExp(source).test(value)),
  minLength: rule<number, string>(isText, (least, value) => value.length >= least),
  maxLength: rule<number, string>(isText, (most, value) => value.length <= most),
  minimum: rule<number, number>(isNumber, (least, value) => value >= least),
  maximum: rule<number, number>(isNumber, (most, value) => value <= most),
  minItems: rule<number, unknown[]>(isList, (least, value) => value.length >= least),
  maxItems: rule<number, unknown[]>(isList, (most, value) => value.length <= most),
  required: rule<string[], Record<string, unknown>>(isObject, (names, value) =>
    names.every((name) => value[name] !== undefined),
  ),
  items: (items: JsonSchema, value, path) =>
    isList(value) ? value.flatMap((item, index) => wrong(items, item, `${path}[${index}]`)) : [],
  properties: (properties: Record<string, JsonSchema>, value, path) =>
    isObject(value)
      ? Object.entries(properties).flatMap(([name, inner]) =>
          value[name] === undefined ? [] : wrong(inner, value[name], `${path}.${name}`),
        )
      : [],
  propertyNames: (names: JsonSchema, value, path) =>
    isObject(value) ? Object.keys(value).flatMap((name) => wrong(names, name, path)) : [],
  additionalProperties: (extra: false | JsonSchema, value, path, { properties }) =>
    isObject(value)
      ? Object.entries(value)
          .filter(([name]) => !Object.hasOwn((properties as object | undefined) ?? {}, name))
          .flatMap(([, inner]) => (extra === false ? [path] : wrong(extra, inner, path)))
      : [],
  anyOf: (options: JsonSchema[], value, path) =>
    options.some((option) => wrong(option, value).length === 0) ? [] : [path],
  allOf: (all: JsonSchema[], value, path) => all.flatMap((one) => wrong(one, value, path)),
  if: (condition: JsonSchema, value, path, schema) =>
    wrong(condition, value).length === 0 ? wrong(schema['then'] as JsonSchema, value, path) : [],
  $ref: (file: string, value, path) => wrong(FILES.get(file) ?? { not: {} }, value, path),
}

const any$ = anyKindSchema()
const isSound = (value: unknown): boolean => checkResource(value).resource !== undefined
const edit = (value: unknown, path: string, to: unknown): unknown => {
  const copy = structuredClone(value) as Record<string, unknown>
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  let at = copy
  for (const part of parts) at = at[part] as Record<string, unknown>
  if (to === undefined) delete at[last]
  else at[last] = to
  return copy
}

const group = 'gateway.networking.k8s.io'
const full = plugin('p', {
  sha256: '',
  priority: 1,
  phase: 'AUTHN',
  selector: { matchLabels: { a: 'b' } },
  match: [{ mode: 'CLIENT', ports: [{ number: 443 }] }],
  pluginConfig: { any: ['thing'] },
  vmConfig: { env: [{ name: 'A', valueFrom: 'HOST' }] },
})
const envoy = envoyPolicy('e', {
  targetRefs: [{ group, kind: 'Gateway', name: 'g' }],
  wasm: [{ code: { type: 'Image', image: { url: 'a/b:1' } }, config: [null] }],
})
const limited = policy('x', 'p', {
  mode: 'log-only',
  limits: { pauseMs: 5 },
  failOpenBudget: { percent: 0.5 },
  decisionLog: { sampling: 10, mask: ['x-a'] },
})

describe('a schema for editors', () => {
  it.each([
    ['HTTPRoute', route('r')],
    ['Upstream', upstream('u')],
    ['WasmPlugin', full],
    ['WasmPlugin in a JSON file', edit(full, '$schema', './postern.json')],
    ['WasmPlugin of a cluster', edit(full, 'metadata.creationTimestamp', null)],
    ['TrafficExtension', extension('t', { priority: -1 })],
    ['EnvoyExtensionPolicy', envoy],
    ['PluginPolicy', limited],
  ])('takes what is taken: %s', (_kind, resource) => {
    expect(isSound(resource)).toBe(true)
    expect(wrong(any$, resource)).toEqual([])
  })

  it.each([
    [full, 'spec.$schema', 'x'],
    [full, 'kind', 'WasmPlugins'],
    [full, 'kind', undefined],
    [full, 'apiVersion', 'v1'],
    [full, 'metadata.name', 'No'],
    [full, 'metadata.creationTimestamp', 'yesterday'],
    [full, 'spec', undefined],
    [full, 'spec.url', undefined],
    [full, 'spec.url', 'ftp://a'],
    [full, 'spec.sha256', 'abc'],
    [full, 'spec.prioritty', 1],
    [full, 'spec.priority', 0.5],
    [full, 'spec.priority', 2 ** 31],
    [full, 'spec.phase', 'LATE'],
    [full, 'spec.type', 'NETWORK'],
    [full, 'spec.verificationKey', 'k'],
    [full, 'spec.pluginConfig', []],
    [full, 'spec.selector.matchLabels.a', 1],
    [full, 'spec.match.0.ports.0.number', 0],
    [full, 'spec.vmConfig.env.0.name', '1'],
    [envoy, 'spec.lua', []],
    [envoy, 'spec.wasm.0.code', undefined],
    [envoy, 'spec.targetRefs', []],
    [limited, 'spec.targetRefs.0.name', undefined],
    [limited, 'spec.mode', 'off'],
    [limited, 'spec.failOpenBudget.percent', 101],
    [limited, 'spec.decisionLog.mask.0', 'a b'],
    [upstream('u'), 'spec.url', 7],
    [route('r'), 'spec.rules', {}],
  ])('refuses what is refused: %#, %2$s', (resource, path, to) => {
    const broken = edit(resource, path, to)
    expect(isSound(broken)).toBe(false)
    expect(wrong(any$, broken)).not.toEqual([])
  })

  it('takes the examples', () => {
    const text = readFileSync(join(import.meta.dirname, '../examples/retail/policy.yaml'), 'utf8')
    const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown)
    expect(documents.length).toBeGreaterThan(3)
    for (const document of documents) expect(wrong(any$, document)).toEqual([])
  })

  it('says of each field what it means, and what is refused why', () => {
    const { properties } = FILES.get('wasm-plugin.json') ?? {}
    const spec = (properties as { spec: { properties: Record<string, JsonSchema> } }).spec
      .properties
    expect(spec['priority']).toMatchObject({
      description: expect.stringContaining('Within a phase the higher runs first'),
      type: 'integer',
      minimum: -(2 ** 31),
    })
    expect(spec['verificationKey']).toMatchObject({ not: {}, doNotSuggest: true })
    expect(spec['verificationKey']?.['errorMessage']).toContain('pin sha256 instead')
    expect(spec['imagePullSecret']).toMatchObject({ deprecated: true })
  })

  it('is in a file named after its kind', () => {
    expect(['HTTPRoute', 'WasmPlugin', 'EnvoyExtensionPolicy'].map(fileName)).toEqual([
      'http-route.json',
      'wasm-plugin.json',
      'envoy-extension-policy.json',
    ])
  })
})
