/**
 * The ABI's tables as Markdown, and the replacement of what stands between their markers:
 * `<!-- generated:host-functions -->` … `<!-- /generated -->`. No files here; build-docs.ts has them.
 */
import { CALLBACKS } from '../src/proxy-wasm/abi/callbacks.ts'
import { ATTRIBUTES } from '../src/proxy-wasm/abi/attributes.ts'
import { ABI_VERSIONS, type AbiVersion } from '../src/proxy-wasm/abi/enums.ts'
import { HOST_ANSWERS } from '../src/proxy-wasm/abi/host-answers.ts'
import { HOST_FUNCTIONS } from '../src/proxy-wasm/abi/host-functions.ts'
import { WASI_FUNCTIONS } from '../src/proxy-wasm/abi/wasi-functions.ts'
import { faultTable } from './fault-tables.ts'
import { variablesTable } from './variables-table.ts'

/** By the name in the marker. */
const TABLES: Readonly<Record<string, () => string>> = {
  'host-functions': hostFunctions,
  callbacks,
  wasi,
  attributes,
  conformance,
  faults: faultTable,
  variables: variablesTable,
}

const MARKER = /<!-- generated:([a-z-]+) -->(.*?)<!-- (\/generated|generated:[a-z-]+) -->/gs
const OPENING = /<!-- generated:[a-z-]+ -->/g

/**
 * @param markdown - a document with or without markers
 * @returns the same document with its tables written anew
 * @throws Error for a marker that names no table or is never closed
 */
export function withTables(markdown: string): string {
  let replaced = 0
  const text = markdown.replaceAll(MARKER, (_whole, name: string, _old, closing: string) => {
    const table = TABLES[name]
    if (table === undefined) {
      throw new Error(`no table is named "${name}"; there are: ${Object.keys(TABLES).join(', ')}`)
    }
    if (closing !== '/generated') throw new Error(`the marker of "${name}" is never closed`)
    replaced += 1
    return `<!-- generated:${name} -->\n\n${table()}\n\n<!-- /generated -->`
  })
  if (replaced !== (markdown.match(OPENING) ?? []).length) {
    throw new Error('a marker is never closed: <!-- /generated --> is missing')
  }
  return text
}

function hostFunctions(): string {
  const words = { full: 'yes', answers: 'answers only' }
  return versionTable('Host function', 'Works', HOST_FUNCTIONS, (row) => words[row.support])
}

function callbacks(): string {
  const words = { full: 'yes', never: 'never' }
  return versionTable('Callback', 'Called', CALLBACKS, (row) => words[row.support])
}

function wasi(): string {
  return table(
    ['WASI function', 'Answer'],
    WASI_FUNCTIONS.map((row) => [link(row), row.note]),
  )
}

/** The host functions once more, with what each may answer and the tests that hold it to that. */
function conformance(): string {
  const words = { full: 'works', answers: 'answers only' }
  return table(
    ['Host function', 'Versions', 'Has an effect in', 'Statuses', 'State', 'Test'],
    HOST_FUNCTIONS.map((row) => {
      const { name, versions, support } = row
      const { phases = '', statuses = [] } = HOST_ANSWERS.get(name) ?? {}
      return [
        link(row),
        versions.length === 0 ? 'extension' : versions.join(', '),
        phases,
        statuses.map((status) => `\`${status}\``).join(', ') || 'none',
        words[support],
        `[test](../test/abi/${name}.test.ts)`,
      ]
    }),
  )
}

function attributes(): string {
  return table(
    ['Attribute', 'Type', 'From', 'Note'],
    ATTRIBUTES.map(({ path, type, source, note }) => [
      `\`${path}\``,
      type,
      source ?? 'not available',
      note ?? '',
    ]),
  )
}

interface VersionedRow {
  readonly name: string
  readonly spec: string
  readonly versions: readonly AbiVersion[]
  readonly note?: string
}

function versionTable<Row extends VersionedRow>(
  what: string,
  supportTitle: string,
  rows: readonly Row[],
  support: (row: Row) => string,
): string {
  return table(
    [what, ...ABI_VERSIONS, supportTitle, 'Note'],
    rows.map((row) => [link(row), inVersions(row.versions), support(row), row.note ?? ''].flat()),
  )
}

function link({ name, spec }: { readonly name: string; readonly spec: string }): string {
  return `[\`${name}\`](${spec})`
}

/** A dash where a version has it not; what no version has is an extension. */
function inVersions(versions: readonly AbiVersion[]): string[] {
  if (versions.length === 0) return ABI_VERSIONS.map(() => 'ext')
  return ABI_VERSIONS.map((version) => (versions.includes(version) ? '✓' : '–'))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(printRow).join('\n')
}

function printRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
