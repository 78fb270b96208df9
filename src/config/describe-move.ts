/**
 * A step of a rollout, or a move that was made by it, in a few words.
 * @returns such as `5 %`, or `100 % shadow on ring=1`
 */
export function describeMove({
  weight,
  mode = 'enforce',
  selector = {},
}: {
  readonly weight: number
  readonly mode?: string | undefined
  readonly selector?: Readonly<Record<string, string>> | undefined
}): string {
  const labels = Object.entries(selector).map((label) => label.join('='))
  const nodes = labels.length === 0 ? '' : ` on ${labels.join(',')}`
  return `${weight} %${mode === 'enforce' ? '' : ` ${mode}`}${nodes}`
}
