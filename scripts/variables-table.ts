/**
 * The Worker's variables, secrets and bindings as Markdown, from the comments that `wrangler.toml` has over
 * each of them: what is deployed and what is documented cannot be two things.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Variable {
  readonly name: string
  readonly kind: 'variable' | 'secret' | 'binding'
  /** As deployed; empty for secrets and bindings. */
  readonly value: string
  readonly about: string
}

/** @param toml - the text of wrangler.toml */
export function variablesOf(toml: string): Variable[] {
  const found: Variable[] = []
  let section = ''
  let comment: string[] = []
  let opening: string[] = []
  for (const line of toml.split('\n')) {
    const head = /^\[+([\w.]+)\]+$/.exec(line)?.[1]
    const [, key, value = ''] = /^(\w+) = "(.*)"$/.exec(line) ?? []
    const secret = /^# ([A-Z][A-Z_]+) (.*)$/.exec(line)
    if (head !== undefined) {
      section = head
      opening = comment
    } else if (key !== undefined && section === 'vars') {
      found.push({ name: key, kind: 'variable', value, about: comment.join(' ') })
    } else if (
      (key === 'binding' || key === 'name') &&
      /^(kv_namespaces|durable_objects\.bindings)$/.test(section)
    ) {
      found.push({ name: value, kind: 'binding', value: '', about: opening.join(' ') })
    } else if (secret !== null && section === 'vars') {
      found.push({
        name: secret[1] as string,
        kind: 'secret',
        value: '',
        about: secret[2] as string,
      })
    }
    const text = /^# (.*)$/.exec(line)?.[1]
    comment = text === undefined ? [] : [...comment, text]
  }
  return found
}

/** Variables first, then secrets, then bindings, each as they stand in the file. */
export function variablesTable(): string {
  const toml = readFileSync(join(import.meta.dirname, '../wrangler.toml'), 'utf8')
  const all = variablesOf(toml)
  const rows = (['variable', 'secret', 'binding'] as const)
    .flatMap((kind) => all.filter((one) => one.kind === kind))
    .map(({ name, kind, value, about }) => {
      const shown = value === '' ? '' : `\`${value}\``
      const text = about.charAt(0).toUpperCase() + about.slice(1)
      return `| \`${name}\` | ${kind} | ${shown} | ${text.replaceAll('|', '\\|')} |`
    })
  return [
    '| name | kind | as deployed | what it is for |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
