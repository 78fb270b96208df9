/** Steps without the secrets in them. */
import type { Masker } from './mask.ts'
import type { HeaderChange, Step } from './watch.ts'

/** Header values first, so that they are found again in everything that was logged. */
export function maskSteps(steps: readonly Step[], mask: Masker): Step[] {
  const headers = steps.map((step) => ({
    ...step,
    ...changes('requestHeaders', step.requestHeaders, mask),
    ...changes('responseHeaders', step.responseHeaders, mask),
  }))
  return headers.map((step) => ({
    ...step,
    ...(step.trapped === undefined ? {} : { trapped: mask.text(step.trapped) }),
    logs: step.logs.map((line) => ({ ...line, message: mask.text(line.message) })),
  }))
}

function changes<Name extends string>(
  name: Name,
  list: readonly HeaderChange[] | undefined,
  mask: Masker,
): Partial<Record<Name, readonly HeaderChange[]>> {
  if (list === undefined) return {}
  const masked = list.map((change): HeaderChange => {
    const values = (all: readonly string[]): string[] =>
      all.map((value) =>
        change.name === ':path' ? mask.path(value) : mask.header(change.name, value),
      )
    const before = change.before && { before: values(change.before) }
    const after = change.after && { after: values(change.after) }
    return { name: change.name, ...before, ...after }
  })
  return { [name]: masked } as Partial<Record<Name, HeaderChange[]>>
}
