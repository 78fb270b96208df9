/** Rollouts that the real controller takes through their steps, or back. */
import type { RolloutsRecord } from '../../src/rollout/record.ts'
import type { Workerd } from './workerd.ts'

const PATIENCE_MS = 30_000

/**
 * Starts a rollout, or aborts it, and waits until it is as told.
 * @throws when it does not come to that
 */
export async function runRollout(
  { admin }: Pick<Workerd, 'admin'>,
  rollout: string,
  end: 'complete' | 'rolled-back',
): Promise<void> {
  const action = end === 'complete' ? 'start' : 'abort'
  const body = JSON.stringify({ rollout, action, by: 'test' })
  const response = await admin('/-/rollouts', { method: 'POST', body })
  if (!response.ok) throw new Error(await response.text())
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const record = (await (await admin('/-/rollouts')).json()) as RolloutsRecord
    if (record.rollouts[rollout]?.phase === end) return
    if (Date.now() > deadline) throw new Error(`never ${end}: ${JSON.stringify(record, null, 2)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
