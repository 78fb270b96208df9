/** The record with a plugin's candidate off on some nodes, or no longer: an event of each rollout under way. */
import { nodesOf } from './kill-reach.ts'
import { eventOf, type Kill, type RolloutsRecord, withEvents } from './record.ts'
import { RolloutError } from './rollout-error.ts'

/**
 * @param on - false: takes it back
 * @param by - who asks
 * @param now - milliseconds since the Unix epoch
 * @returns the same when it is off there already
 * @throws RolloutError when there is nothing to take back
 */
export function withKill(
  record: RolloutsRecord,
  kill: Kill,
  on: boolean,
  by: string,
  now: number,
): RolloutsRecord {
  const one = sorted(kill)
  const text = JSON.stringify(one)
  const others = record.kills.filter((other) => JSON.stringify(sorted(other)) !== text)
  const isOn = others.length < record.kills.length
  const where = nodesOf(one)
  if (!on && !isOn) {
    const message = `the candidate of ${one.plugin} was not killed on ${where}`
    throw new RolloutError('rollout.not_killed', message)
  }
  if (on === isOn) return record
  const kills = on ? [...others, one] : others
  const reason = `${on ? 'killed' : 'no longer killed'} on ${where} by ${by}`
  const events = Object.entries(record.rollouts)
    .filter(([, { plugin, phase }]) => plugin === one.plugin && phase !== 'promoted')
    .filter(([, { phase }]) => phase !== 'rolled-back')
    .map(([rollout, state]) => eventOf(rollout, state, now, reason))
  return withEvents({ ...record, version: record.version + 1, kills }, events)
}

function sorted({ plugin, selector = {} }: Kill): Kill {
  const labels = Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1))
  return labels.length === 0 ? { plugin } : { plugin, selector: Object.fromEntries(labels) }
}
