/** Labels of nodes as they are written on a command line. */
import { CommandError } from '../command-error.ts'

/**
 * `ring=1,country=de` as an object.
 * @param option that they are the value of, for the error
 * @throws CommandError for what is no label
 */
export function labelsOf(
  text: string | undefined,
  option: string,
): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined
  const labels = text.split(',').map((label): [string, string] => {
    const [name = '', ...value] = label.split('=')
    if (name.trim() === '' || value.length === 0) {
      throw new CommandError('cli.usage', `${option}: ${label} is no label such as ring=1`)
    }
    return [name.trim(), value.join('=').trim()]
  })
  return Object.fromEntries(labels)
}
