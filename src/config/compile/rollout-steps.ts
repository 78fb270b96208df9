/** The steps of a rollout → those of a snapshot, and what is wrong with their order. */
import { hasLabels } from '../has-labels.ts'
import { rankOf } from '../rollout-modes.ts'
import { durationMs } from '../resources/duration.ts'
import type { PluginRollout, RolloutStep } from '../resources/plugin-rollout.ts'
import type { RolloutMode, SnapshotRolloutStep } from '../snapshot-rollout.ts'

type Labels = Readonly<Record<string, string>>

/** How long `until` may take when nothing is said. */
const DEFAULT_TIMEOUT = '1h'

/** Labels in an order that does not depend on how they were written; undefined for none. */
export function sortedLabels(
  selector: { readonly matchLabels: Labels } | undefined,
): Labels | undefined {
  const labels = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return labels.length === 0 ? undefined : Object.fromEntries(labels)
}

/**
 * @param invalid - takes steps that can change nothing, modes that go back, and nodes that nobody is
 * @returns the steps, without what is said for the whole rollout already
 */
export function compileSteps(
  { mode: usual = 'enforce', steps, audience }: PluginRollout['spec'],
  invalid: (path: readonly (string | number)[], message: string) => void,
): readonly SnapshotRolloutStep[] {
  const compiled = steps.map((step) => compileStep(step, usual))
  for (const [index, { weight, mode = usual, selector = {} }] of compiled.entries()) {
    const say = (field: string, message: string): void =>
      invalid(['spec', 'steps', index, ...field.split('.')], message)
    if (weight === 0) say('weight', 'expected a weight above 0: a step at 0 changes nothing')
    const before = compiled.slice(0, index)
    const back = before.findLastIndex((one) => rankOf(one.mode ?? usual) > rankOf(mode))
    if (back >= 0) {
      const { mode: reached = usual } = compiled[back] ?? {}
      say('mode', `expected ${reached} or above: step ${back + 1} has it, and modes never go back`)
    }
    for (const [name, value] of Object.entries(audience?.selector?.matchLabels ?? {})) {
      if (!Object.hasOwn(selector, name) || selector[name] === value) continue
      const others = `the audience is nodes with ${name}=${value}`
      say(`selector.matchLabels.${name}`, `is for no node: ${others}`)
    }
    const same = before.findLastIndex(
      (one) =>
        (one.mode ?? usual) === mode && one.weight >= weight && hasLabels(one.selector, selector),
    )
    if (same >= 0 && weight > 0) {
      const { weight: has = 0 } = compiled[same] ?? {}
      const already = `in step ${same + 1} all its nodes have ${has} % in mode ${mode}`
      say('weight', `changes nothing: ${already}; expected more`)
    }
  }
  return compiled
}

function compileStep(
  { weight, pause, until, timeout = DEFAULT_TIMEOUT, mode, selector }: RolloutStep,
  usual: RolloutMode,
): SnapshotRolloutStep {
  const labels = sortedLabels(selector)
  return {
    weight,
    pauseMs: pause === undefined ? 0 : durationMs(pause),
    ...(until === undefined ? {} : { passesWithinMs: durationMs(timeout) }),
    ...(mode === undefined || mode === usual ? {} : { mode }),
    ...(labels === undefined ? {} : { selector: labels }),
  }
}
