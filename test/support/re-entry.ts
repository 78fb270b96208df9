/**
 * The case that all host functions which return data share: while the host allocates in the guest for the
 * result, the guest's allocator makes host calls that change whatever the result could be made of. Envoy
 * ends the vm for that; here the calls work, and what was asked for first is still what comes back.
 */
import { describe, expect, it } from 'vitest'
import { mayAnswer } from '../../src/proxy-wasm/abi/host-answers.ts'
import { type AbiVersion, LogLevel, type Ports } from '../../src/proxy-wasm/index.ts'
import { rowOf } from './row-of.ts'
import {
  allocatingGuest,
  type GuestArg,
  type GuestCall,
  type GuestPhase,
} from './allocating-guest.ts'
import { settled } from './fake-time.ts'
import { type Machine, machine, type MachineOptions } from './machine.ts'
import { latin1, playPlugins, post } from './play.ts'

export interface ReEntrySpec {
  /** Arguments that make the host allocate. */
  readonly args: readonly GuestArg[]
  /** What comes back, one character for each byte. */
  readonly returned: string
  /** Where the call is made; `request_headers` unless said. */
  readonly phase?: GuestPhase
  /** Calls that come first, in `request_headers`. */
  readonly before?: readonly GuestCall[]
  readonly configuration?: string
  readonly ports?: Partial<Ports>
  readonly callout?: NonNullable<MachineOptions['callout']>
}

/** Header pairs as they are on the wire, one character for each byte. */
export function wirePairs(...lines: readonly (readonly [string, string])[]): string {
  const u32 = (n: number): string => String.fromCharCode(n & 0xff, n >>> 8, 0, 0)
  const sizes = lines.map(([name, value]) => u32(name.length) + u32(value.length))
  const texts = lines.map(([name, value]) => `${name}\0${value}\0`)
  return u32(lines.length) + sizes.join('') + texts.join('')
}

const CALLOUT: GuestCall = [
  'proxy_http_call',
  'up',
  wirePairs([':method', 'GET'], [':path', '/'], [':authority', 'up']),
  '',
  '',
  100,
  { out: 3 },
]

/** A callout that breaks off, for what is to be read in its callback. */
export const BROKEN: Required<Pick<ReEntrySpec, 'before' | 'callout' | 'phase'>> = {
  before: [CALLOUT],
  callout: async () => ({ failure: 'reset' }),
  phase: 'http_call_response',
}

/** What the allocator does to the result under way, the same call among it. */
function hostile(itself: GuestCall): readonly GuestCall[] {
  const route = [
    [':method', 'POST'],
    [':path', '/set-inside'],
    [':authority', 'shop.example'],
  ] as const
  return [
    ['proxy_add_header_map_value', 0, 'x-inside', 'a value of some length'],
    ['proxy_remove_header_map_value', 0, 'x-first'],
    ['proxy_replace_header_map_value', 0, ':path', '/a-path-that-is-longer-than-it-was-before'],
    ['proxy_set_header_map_pairs', 0, wirePairs(...route, ['x-set', 'inside'])],
    ['proxy_set_buffer_bytes', 0, 0, -1, 'rewritten inside'],
    ['proxy_set_property', 'mine', 'changed'],
    ['proxy_set_shared_data', 'key', 'changed', 0],
    ['proxy_register_shared_queue', 'queue', { out: 3 }],
    ['proxy_enqueue_shared_queue', 1, 'another'],
    ['proxy_dequeue_shared_queue', 1, { out: 0 }, { out: 1 }],
    itself,
    ['proxy_define_metric', 0, 'metric', { out: 3 }],
    ['proxy_set_tick_period_milliseconds', 1000],
    ['proxy_done'],
    CALLOUT,
    ['proxy_continue_stream', 0],
    ['proxy_send_local_response', 418, '', 'from inside', '', -1],
    ['proxy_set_effective_context', 1],
    ['proxy_log', 2, 'inside'],
  ]
}

/** The tests of one host function of the specification. */
export function describeReEntry(name: string, spec: ReEntrySpec): void {
  const { phase = 'request_headers', before = [], configuration = 'none' } = spec
  const call: GuestCall = [name, ...spec.args]
  const inside = hostile(call)

  describe.each(rowOf(name).versions)(`${name} in %s`, (version) => {
    it.each(['malloc', 'proxy_on_memory_allocate'] as const)(
      'returns what it was asked for when %s calls the host meanwhile',
      async (allocator) => {
        const host = machine({ ports: spec.ports ?? {}, callout: spec.callout ?? never })
        const module = allocatingGuest({ version, allocator, before, call, phase, inside })
        const plugin = await host.plugin({ module, configuration })
        const { response, body } = await playPlugins(host, [plugin], { request: post('the body') })
        await settled()

        expect([kept(host, 'status'), kept(host, 'data')]).toEqual([OK, spec.returned])
        const statuses = kept(host, 'inside')
        const wrong = inside.filter(([each], i) => !mayAnswer(each, statuses.charCodeAt(i * 4)))
        expect(wrong).toEqual([])
        expect(host.logs.filter(({ level }) => level > LogLevel.Warn)).toEqual([])
        // the effective context that was set inside was the allocation's alone
        const context = (said: string) => host.logs.find((one) => one.message === said)?.contextId
        expect([context('inside'), context('after')]).toEqual([0, context('before')])
        // what was asked for inside happens when no guest runs, on the stream it was asked for
        const isStream = phase.startsWith('request')
        expect(response.status).toBe(isStream ? 418 : 200)
        expect(body).toBe(isStream ? 'from inside' : 'ok')

        const next = await playPlugins(host, [plugin], { request: post('the body') })
        expect([next.body, plugin.state]).toEqual(['ok', 'running'])
      },
    )
  })
}

/**
 * Makes a call from inside of the allocation for another, which must not mind.
 * @returns what it answered
 */
export async function answerInside(
  version: AbiVersion,
  call: GuestCall,
  ports: Partial<Ports>,
): Promise<number> {
  const host = machine({ ports })
  const module = allocatingGuest({
    version,
    allocator: 'malloc',
    before: [],
    call: ['proxy_get_property', 'plugin_name', { out: 0 }, { out: 1 }],
    phase: 'request_headers',
    inside: [call],
  })
  const plugin = await host.plugin({ module })
  await playPlugins(host, [plugin], { request: post('the body') })
  expect([kept(host, 'status'), kept(host, 'data'), plugin.state]).toEqual([OK, 'probe', 'running'])
  expect(host.logs.filter(({ level }) => level > LogLevel.Warn)).toEqual([])
  return kept(host, 'inside').charCodeAt(0)
}

const OK = '\0\0\0\0'

const never = (): Promise<never> => new Promise(() => undefined)

function kept(host: Machine, key: string): string {
  const found = host.pool.ports.sharedData.get('', key)
  if (found === undefined) throw new Error(`the guest has not come to keeping ${key}`)
  return latin1(found.value)
}
