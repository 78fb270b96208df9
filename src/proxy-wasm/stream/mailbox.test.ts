import { describe, expect, it } from 'vitest'
import type { Filter } from './filter.ts'
import { emptyReply } from './local-reply.ts'
import { type Mail, Mailbox } from './mailbox.ts'

const filter = {} as Filter
const resume: Mail = { kind: 'resume', filter, direction: 'request' }
const answer: Mail = { kind: 'local-reply', filter, reply: emptyReply(403, '') }
const reset: Mail = { kind: 'reset', details: 'why' }

/** A timers port that rings by hand. */
function alarms() {
  const set = new Set<() => void>()
  return {
    set,
    after: (_: number, ring: () => void) => {
      set.add(ring)
      return () => void set.delete(ring)
    },
  }
}

describe('Mailbox', () => {
  it('gives mail in order', () => {
    const box = new Mailbox()
    box.put(resume)
    box.put(answer)
    expect([box.empty, box.take(), box.take(), box.take(), box.empty]).toEqual([
      false,
      resume,
      answer,
      undefined,
      true,
    ])
  })

  it('gives what ends a passage out of its turn', () => {
    const box = new Mailbox()
    expect(box.takeEnding()).toBeUndefined()
    box.put(resume)
    expect(box.takeEnding()).toBeUndefined()
    box.put(reset)
    box.put(answer)
    expect([box.takeEnding(), box.takeEnding(), box.take()]).toEqual([reset, answer, resume])
  })

  it('does not wait while there is mail', async () => {
    const box = new Mailbox()
    const { after, set } = alarms()
    box.put(resume)
    await box.wait(1000, after)
    expect(set.size).toBe(0)
  })

  it('wakes everybody who waits, once, and cancels their timers', async () => {
    const box = new Mailbox()
    const { after, set } = alarms()
    const waits = [box.wait(1000, after), box.wait(1000, after)]
    expect(set.size).toBe(2)
    box.wake()
    await Promise.all(waits)
    expect(set.size).toBe(0)
    box.wake()
  })

  it('waits no longer than it was told', async () => {
    const box = new Mailbox()
    const { after, set } = alarms()
    const wait = box.wait(1000, after)
    for (const ring of set) ring()
    await wait
  })

  it('gives what was waited for, or nothing when it was woken first', async () => {
    const box = new Mailbox()
    expect(await box.waitOr(Promise.resolve('value'))).toBe('value')
    const woken = box.waitOr(new Promise(() => undefined))
    box.wake()
    expect(await woken).toBeUndefined()
    await expect(box.waitOr(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    box.put(resume)
    expect(await box.waitOr(new Promise(() => undefined))).toBeUndefined()
  })
})
