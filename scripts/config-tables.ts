/**
 * The kinds of resource as Markdown tables, from the schemas that check them, and the replacement of
 * what stands between their markers: `<!-- fields:HTTPRoute -->` … `<!-- /fields -->`. No files here.
 */
import { aboutOf } from '../src/config/resources/check-fields.ts'
import type { About } from '../src/config/resources/fields.ts'
import { KINDS } from '../src/config/resources/kinds.ts'
import { metadataSchema } from '../src/config/resources/metadata.ts'

type Schema = Parameters<typeof aboutOf>[0]

/** The parts of valibot's schemas that say what a field looks like; each is there on some of them. */
interface Shape {
  readonly type: string
  readonly entries?: Readonly<Record<string, Schema>>
  readonly item?: Schema
  readonly wrapped?: Schema
  readonly options?: readonly string[]
  readonly message?: unknown
  readonly pipe?: readonly Shape[]
}

export interface Field {
  /** As an operator writes it, e.g. `spec.rules[].backendRefs[].port`. */
  readonly path: string
  readonly type: string
  readonly required: boolean
  readonly about: About
}

const MARKER = /<!-- fields:([A-Za-z]+) -->.*?<!-- \/fields -->/gs

/**
 * @param markdown a document with or without markers
 * @returns the same document with its tables written anew
 * @throws Error for a marker that names no kind
 */
export function withConfigTables(markdown: string): string {
  return markdown.replaceAll(MARKER, (_whole, name: string) => {
    return `<!-- fields:${name} -->\n\n${tables(fieldsNamed(name))}\n<!-- /fields -->`
  })
}

/** The fields of a kind without its metadata, which is the same for all, or those of `metadata`. */
function fieldsNamed(name: string): readonly Field[] {
  if (name === 'metadata') return fieldsOf(metadataSchema, 'metadata')
  const kind = KINDS.find((candidate) => candidate.kind === name)
  if (kind === undefined) throw new Error(`there is no kind ${name}`)
  return fieldsOf(kind.schema).filter(({ path }) => !path.startsWith('metadata'))
}

/** Every field of a kind that is more than a container, in the order of the schema. */
export function fieldsOf(schema: Schema, path = '', required = true): readonly Field[] {
  const shape = schema as unknown as Shape
  if (shape.wrapped !== undefined) return fieldsOf(shape.wrapped, path, false)
  const about = aboutOf(schema)
  const own = { path, type: typeOf(shape, about), required, about }
  const children = [
    ...Object.entries(shape.entries ?? {}).flatMap(([name, entry]) =>
      fieldsOf(entry, path === '' ? name : `${path}.${name}`),
    ),
    ...(shape.item === undefined ? [] : fieldsOf(shape.item, `${path}[]`)),
  ]
  const said = about.about ?? about.outside ?? about.noEffect
  // Plain items of a list are told in the row of the list.
  const plain = path.endsWith('[]') && shape.entries === undefined
  const shown = said !== undefined || (children.length === 0 && !plain)
  return shown ? [own, ...children] : children
}

function typeOf(shape: Shape, about: About): string {
  const hint = expected(shape)
  switch (shape.type) {
    case 'picklist': {
      const outside = Object.keys(about.outsideValues ?? {})
      const options = (shape.options ?? []).filter((option) => !outside.includes(option))
      return options.map((option) => `\`${option === '' ? '""' : option}\``).join(', ')
    }
    case 'string':
    case 'number':
      return hint ?? shape.type
    case 'boolean':
      return '`true`, `false`'
    case 'array': {
      const item = shape.item as unknown as Shape | undefined
      if (item?.entries !== undefined) return 'list'
      return item?.type === 'number' ? 'list of numbers' : 'list of strings'
    }
    case 'record':
      return 'object of strings'
    case 'literal':
      return 'fixed'
    case 'unknown':
      return 'any JSON value'
    default:
      return shape.type === 'custom' ? 'object' : shape.type
  }
}

/** What a pattern or a bound says it expects, also where a pipe stands in a pipe. */
function expected(shape: Shape): string | undefined {
  for (const step of shape.pipe ?? []) {
    const { message } = step
    if (typeof message === 'string' && message.startsWith('expected ')) {
      return message.slice('expected '.length)
    }
    const inner = step.pipe === undefined || step === shape ? undefined : expected(step)
    if (inner !== undefined) return inner
  }
  return undefined
}

function tables(fields: readonly Field[]): string {
  const used = fields.filter(
    ({ about, type }) =>
      about.outside === undefined && about.noEffect === undefined && type !== 'fixed',
  )
  const refused = fields.flatMap(({ path, about }) => [
    ...(about.outside === undefined ? [] : [[`\`${path}\``, sentence(about.outside)]]),
    ...Object.entries(about.outsideValues ?? {}).map(([value, why]) => [
      `\`${path}: ${value === '' ? '""' : value}\``,
      sentence(why),
    ]),
  ])
  const idle = fields.flatMap(({ path, about }) =>
    about.noEffect === undefined ? [] : [[`\`${path}\``, sentence(about.noEffect)]],
  )
  const rows = used.map(({ path, type, required, about }) => [
    `\`${path}\``,
    type,
    required ? 'required' : (about.default ?? ''),
    about.about ?? '',
  ])
  return [
    table(['Field', 'Type', 'Default', 'Meaning'], rows),
    refused.length === 0 ? '' : `\nRefused by name:\n\n${table(['Field', 'Instead'], refused)}`,
    idle.length === 0
      ? ''
      : `\nAccepted with a warning:\n\n${table(['Field', 'Why it does nothing'], idle)}`,
  ].join('')
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return [line(heads), line(heads.map(() => '---')), ...rows.map((row) => line(row))].join('')
}
