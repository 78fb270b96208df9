/** What is kept of rollouts that are over. */
import { expect, it } from 'vitest'
import { documentOf, NO_RECORD, type RolloutsRecord, withoutOldest, withState } from './record.ts'
import type { RolloutPhase, RolloutState } from './state.ts'

function state(phase: RolloutPhase, startedAt: number): RolloutState {
  const moves = [{ effectiveAt: startedAt + 1, weight: phase === 'rolled-back' ? 0 : 50 }]
  const first = { run: 1, candidate: 'c', reason: 'a test', step: 0, since: 0 }
  return { ...first, phase, startedAt, moves }
}

it('a rollout with a name of its own for each version leaves no document that grows for ever', () => {
  let record: RolloutsRecord = withState(NO_RECORD, 'default.goes-on', state('paused', 0), 0)
  record = withState(record, 'default.waits', state('complete', 0), 0)
  for (let version = 1; version <= 400; version++) {
    const phase = version % 2 ? 'rolled-back' : 'promoted'
    const id = `default.next-${version}`
    record = withoutOldest(withState(record, id, state(phase, version * 1_000), version * 1_000))
  }
  const kept = Object.keys(documentOf(record).rollouts)
  expect(kept.slice(0, 3)).toEqual(['default.goes-on', 'default.waits', 'default.next-351'])
  expect(kept).toHaveLength(52)
  expect(JSON.stringify(documentOf(record)).length).toBeLessThan(10_000)
})
