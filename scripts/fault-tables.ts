/**
 * What happens when something about the configuration is wrong, as Markdown: the states that the chaos
 * tests play, so that the page says what was seen.
 */
import { PLUGIN_STATES } from '../test/gateway/chaos/plugin-states.ts'
import { POINTER_STATES } from '../test/gateway/chaos/pointer-states.ts'
import { signedStates } from '../test/gateway/chaos/signed-states.ts'
import { SNAPSHOT_STATES } from '../test/gateway/chaos/snapshot-states.ts'
import type { State } from '../test/gateway/chaos/state.ts'

/** Only playing a state needs keys. */
const SIGNED_STATES = signedStates(() => {
  throw new Error('there are no keys here')
})

const HEADER = ['', 'where a revision runs', 'in an isolate that starts', 'refusal'] as const

/** A table of all states. */
export function faultTable(): string {
  const groups = [
    ['The pointer `active` is …', POINTER_STATES],
    ['The pointer is, where `TRUSTED_KEYS` is set, …', SIGNED_STATES],
    ['The snapshot is …', SNAPSHOT_STATES],
    ['Among the plugins of the new revision is …', PLUGIN_STATES],
  ] as const
  return groups
    .map(([title, states]) => table([title, ...HEADER.slice(1)], states.map(row)))
    .join('\n\n')
}

function row(state: State): readonly string[] {
  const { what, warm, code, coldCode = code } = state
  const codes = [...new Set([code, coldCode])].filter((one) => one !== null)
  const pending = warm.pending ? ['`pending`'] : []
  const refusal = [...pending, ...codes.map((one) => `\`${one}\``)].join(', ')
  return [what, warmText(state), coldText(state), refusal === '' ? '–' : refusal]
}

function warmText({ warm }: State): string {
  if (!warm.live) return 'it goes on'
  return warm.serves === 'next' ? 'the new one runs' : 'the new one runs, the plugin as before'
}

function coldText({ cold, warm }: State): string {
  if (cold === 'none') return 'copy, baseline or 503'
  if (cold === 'next') return 'the new one runs'
  return warm.live ? 'the new one runs, the plugin as before' : 'the snapshot before'
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
