/**
 * Whatever plugins do to a stream in whatever order — pause, resume, hold bytes, trap and fail open —
 * every byte passes exactly once, and nothing is left behind. Random, from fixed seeds.
 */
import { describe, expect, it } from 'vitest'
import type { HttpCallOutcome } from '../../src/proxy-wasm/index.ts'
import { FakeTime, settled } from '../support/fake-time.ts'
import { machine, probe, script } from '../support/machine.ts'
import { callout, chunked, on, playPlugins, post, reply, type Steps } from '../support/play.ts'

/** A small generator (mulberry32): the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

type Random = (below: number) => number

const BODY_CALLBACKS = 6

/** Steps of one callback: nothing, a pause that a callout ends, a pause that more bytes may end, a trap. */
function stepsOf(pick: Random, body: boolean, traps: boolean): unknown[] {
  return Array.from({ length: body ? BODY_CALLBACKS : 1 }, (_, i) => {
    const when = { nth: i + 1 }
    const choice = pick(10)
    if (choice < 3) {
      return [callout({ if: when }), { call: 'return', action: choice === 0 ? 2 : 1, if: when }]
    }
    if (choice < 5 && body) {
      return [{ call: 'return', action: choice - 2, if: { ...when, end_of_stream: false } }]
    }
    return traps && pick(25) === 0 ? [{ call: 'trap', kind: 'unreachable', if: when }] : []
  }).flat()
}

function scriptOf(pick: Random, traps: boolean): string {
  const steps: Steps = {
    request_headers: stepsOf(pick, false, traps),
    request_body: stepsOf(pick, true, traps),
    response_headers: stepsOf(pick, false, traps),
    response_body: stepsOf(pick, true, traps),
    http_call_response: [
      { call: 'set_effective_context', issuer: true },
      { call: 'continue_request' },
      { call: 'continue_response' },
    ],
  }
  return script(steps)
}

/** A body of letters in order, in pieces. */
function pieces(pick: Random): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz'.slice(0, 1 + pick(26))
  const parts: string[] = []
  for (let at = 0; at < letters.length;) {
    const size = 1 + pick(6)
    parts.push(letters.slice(at, at + size))
    at += size
  }
  return parts
}

async function run(seed: number, traps: boolean) {
  const pick = random(seed)
  const time = new FakeTime()
  const host = machine({
    ports: { clock: time.clock, timers: time.timers },
    async callout(): Promise<HttpCallOutcome> {
      for (let turns = pick(8); turns > 0; turns--) await Promise.resolve()
      return reply(200)
    },
  })
  const shareVm = pick(3) === 0
  const plugins = await Promise.all(
    Array.from({ length: 1 + pick(3) }, (_, i) =>
      host.plugin({
        name: `p${i + 1}`,
        module: probe(),
        configuration: scriptOf(pick, traps),
        vmConfiguration: script({}),
        allowOnHeadersStopIteration: pick(2) === 0,
        failStrategy: 'FAIL_OPEN',
        shareVm,
      }),
    ),
  )
  const request = pieces(pick)
  const response = pieces(pick)
  const length = response.join('').length
  const played = await playPlugins(host, plugins, {
    request: pick(2) ? post(request) : post(request.join('')),
    response: new Response(chunked(...response), {
      headers: pick(2) ? { 'content-length': String(length) } : {},
    }),
  })
  // replies that nobody waits for any more
  await settled()
  return { host, plugins, played, request: request.join(''), response: response.join(''), time }
}

describe('every byte passes exactly once', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i))(
    'pausing and resuming, part %i',
    async (part) => {
      for (let seed = part * 10; seed < part * 10 + 10; seed++) {
        const { host, plugins, played, request, response, time } = await run(seed, false)
        expect([seed, played.sent?.body, played.body]).toEqual([seed, request, response])
        expect(host.pool.contexts, `seed ${seed}`).toBe(plugins.length)
        for (const { spec } of plugins) expect(on(host.lines(spec.name), 'log')).toHaveLength(1)
        expect(time.pending, `seed ${seed}`).toBe(0)
      }
    },
  )

  it.each(Array.from({ length: 40 }, (_, i) => i))('and trapping, part %i', async (part) => {
    for (let seed = 1_000 + part * 10; seed < 1_010 + part * 10; seed++) {
      const { host, plugins, played, request, response, time } = await run(seed, true)
      expect([seed, played.sent?.body, played.body]).toEqual([seed, request, response])
      const running = plugins.filter(({ state }) => state === 'running')
      expect(host.pool.contexts, `seed ${seed}`).toBe(running.length)
      expect(plugins.map(({ streams }) => streams)).toEqual(plugins.map(() => 0))
      expect(time.pending, `seed ${seed}`).toBe(0)
    }
  })
})
