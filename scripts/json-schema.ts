/**
 * The kinds of resource as JSON Schema, for editors, from the schemas that check them. What JSON
 * Schema cannot say (references, conditions between fields) is left to `postern validate` and `apply`.
 * No files here.
 */
import { aboutOf } from '../src/config/resources/check-fields.ts'
import type { About } from '../src/config/resources/fields.ts'
import { KINDS, type Kind } from '../src/config/resources/kinds.ts'

type Schema = Parameters<typeof aboutOf>[0]

export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** The parts of valibot's schemas and actions that JSON Schema has a word for. */
interface Shape {
  readonly kind: string
  readonly type: string
  readonly entries?: Readonly<Record<string, Schema>>
  readonly item?: Schema
  readonly key?: Schema
  readonly value?: Schema
  readonly wrapped?: Schema
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly requirement?: unknown
  readonly pipe?: readonly Shape[]
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** One kind: the whole of a document. */
export function kindSchema(kind: Kind): JsonSchema {
  const { apiVersion, kind: name, about } = kind
  const { properties, ...rest } = convert(kind.schema)
  return {
    $schema: DIALECT,
    title: `${name} (${apiVersion})`,
    description: about,
    ...rest,
    // a JSON file names its schema itself
    properties: { $schema: { type: 'string' }, ...(properties as object) },
  }
}

/** Any of the kinds: which one, a document's own `kind` says. */
export function anyKindSchema(): JsonSchema {
  return {
    $schema: DIALECT,
    title: 'A resource of Postern',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      kind: { enum: KINDS.map(({ kind }) => kind) },
    },
    allOf: KINDS.map(({ kind }) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word
      then: { $ref: fileName(kind) },
    })),
  }
}

/** `WasmPlugin` is in `wasm-plugin.json`, beside the schema of any kind. */
export function fileName(kind: string): string {
  const words = kind.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-')
  return `${words.toLowerCase()}.json`
}

function convert(schema: Schema): JsonSchema {
  const about = aboutOf(schema)
  if (about.outside !== undefined) {
    const description = `Refused: ${about.outside}.`
    return { description, not: {}, errorMessage: description, doNotSuggest: true }
  }
  return { ...described(about), ...shapeOf(schema as unknown as Shape, about) }
}

function described({ about, default: standard, noEffect }: About): JsonSchema {
  const parts = [
    about,
    standard === undefined ? undefined : `Default: ${standard}.`,
    noEffect === undefined ? undefined : `No effect here: ${noEffect}.`,
  ].filter((part) => part !== undefined)
  return {
    ...(parts.length === 0 ? {} : { description: parts.join(' ') }),
    ...(noEffect === undefined ? {} : { deprecated: true }),
  }
}

function shapeOf(shape: Shape, about: About): JsonSchema {
  if (shape.type === 'nullable') {
    return { anyOf: [convert(shape.wrapped as Schema), { type: 'null' }] }
  }
  if (shape.wrapped !== undefined) return shapeOf(shape.wrapped as unknown as Shape, about)
  return { ...base(shape, about), ...bounds(shape) }
}

function base(shape: Shape, about: About): JsonSchema {
  switch (shape.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: shape.type }
    case 'literal':
      return { const: shape.literal }
    case 'picklist': {
      const refused = Object.keys(about.outsideValues ?? {})
      return { enum: shape.options?.filter((option) => !refused.includes(String(option))) }
    }
    case 'array':
      return { type: 'array', items: convert(shape.item as Schema) }
    case 'record':
      return {
        type: 'object',
        ...(isPlain(shape.key) ? {} : { propertyNames: convert(shape.key as Schema) }),
        additionalProperties: convert(shape.value as Schema),
      }
    case 'object':
      return objectOf(shape.entries ?? {})
    case 'custom':
      return { type: 'object' }
    case 'union':
      return { anyOf: shape.options?.map((option) => convert(option as Schema)) }
    case 'unknown':
      return {}
    default:
      throw new Error(`no JSON Schema for valibot's ${shape.type}`)
  }
}

function isPlain(schema: Schema | undefined): boolean {
  const shape = schema as unknown as Shape
  return shape.pipe === undefined && shape.type === 'string'
}

function objectOf(entries: Readonly<Record<string, Schema>>): JsonSchema {
  const all = Object.entries(entries)
  const required = all.flatMap(([name, entry]) => (isOptional(entry) ? [] : [name]))
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(all.map(([name, entry]) => [name, convert(entry)])),
    additionalProperties: false,
  }
}

function isOptional(schema: Schema): boolean {
  return (schema as unknown as Shape).type === 'exact_optional'
}

/** What the actions of a pipe ask for, also where a pipe stands in a pipe. */
function bounds(shape: Shape): JsonSchema {
  const found: Record<string, unknown> = {}
  for (const step of shape.pipe ?? []) {
    if (step !== shape && step.kind === 'schema') Object.assign(found, bounds(step))
    const { requirement } = step
    switch (step.type) {
      case 'regex':
      case 'iso_timestamp':
        found['pattern'] = (requirement as RegExp).source
        break
      case 'starts_with':
        found['pattern'] = `^${escaped(String(requirement))}`
        break
      case 'min_length':
        found[shape.type === 'array' ? 'minItems' : 'minLength'] = requirement
        break
      case 'max_length':
        found[shape.type === 'array' ? 'maxItems' : 'maxLength'] = requirement
        break
      case 'min_value':
        found['minimum'] = requirement
        break
      case 'max_value':
        found['maximum'] = requirement
        break
      case 'safe_integer':
      case 'integer':
        found['type'] = 'integer'
        break
      default:
    }
  }
  return found
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
