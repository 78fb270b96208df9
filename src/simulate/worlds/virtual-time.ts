/**
 * Time of a simulation: it stands still while a request runs, so that both versions see the same time, and
 * jumps to the next timer when nothing else is left to wait for. A plugin that holds a request for a
 * minute costs no minute.
 */
import type { Clock, TimersPort } from '../../proxy-wasm/index.ts'

const NANOS_PER_MS = 1_000_000n
/** Go's runtime does not start when its clock stands at 0. */
const MONOTONIC_START_MS = 1_000
/**
 * What is under way without a timer (a signature that is checked, a body that is unpacked) comes in this
 * time; what waits for longer than a second waits for nobody but the plugin.
 */
const SHORT_PATIENCE_MS = 2
const LONG_PATIENCE_MS = 20
const LONG_MS = 1_000

interface Alarm {
  readonly at: number
  readonly ring: () => void
  handle: ReturnType<typeof setTimeout> | undefined
}

export class VirtualTime {
  readonly clock: Clock = {
    realtime: () => BigInt(Math.floor(this.#epoch + this.#now)) * NANOS_PER_MS,
    monotonic: () => BigInt(Math.floor(MONOTONIC_START_MS + this.#now)) * NANOS_PER_MS,
  }

  readonly timers: TimersPort = {
    after: (ms, ring) => {
      const alarm: Alarm = { at: this.#now + Math.max(ms, 0), ring, handle: undefined }
      this.#alarms.add(alarm)
      this.#wait(alarm, ms)
      return () => this.#drop(alarm)
    },
  }

  /** Milliseconds since the simulation began. */
  #now = 0
  #epoch: number
  readonly #alarms = new Set<Alarm>()

  /** @param epoch - what the wall clock shows first, in milliseconds since the Unix epoch */
  constructor(epoch: number) {
    this.#epoch = epoch
  }

  /** Lets time pass where nothing runs. @param ms - at least 0 */
  pass(ms: number): void {
    this.#now += ms
  }

  /** Sets the wall clock alone, as requests are not always recorded in order. */
  set(epoch: number): void {
    this.#epoch = epoch - this.#now
  }

  /** No timer rings any more. */
  stop(): void {
    for (const alarm of Array.from(this.#alarms)) this.#drop(alarm)
  }

  #wait(alarm: Alarm, ms: number): void {
    const patience = ms > LONG_MS ? LONG_PATIENCE_MS : SHORT_PATIENCE_MS
    alarm.handle = setTimeout(() => this.#due(alarm), Math.min(Math.max(ms, 0), patience))
  }

  #due(alarm: Alarm): void {
    // another one comes first, and may change what this one waits for
    for (const { at } of this.#alarms) if (at < alarm.at) return this.#wait(alarm, 1)
    this.#alarms.delete(alarm)
    this.#now = Math.max(this.#now, alarm.at)
    alarm.ring()
  }

  #drop(alarm: Alarm): void {
    if (alarm.handle !== undefined) clearTimeout(alarm.handle)
    this.#alarms.delete(alarm)
  }
}
