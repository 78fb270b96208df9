/**
 * The conformance tests of one host function, the same for all: it works where it should, in every ABI
 * version that has it; it answers what the table says in every callback; wrong addresses and lengths,
 * refused allocations and what else is misuse end in a status, never in a trap.
 */
import { describe, expect, it } from 'vitest'
import { envoyFunctions } from '../../src/foreign/index.ts'
import type { AbiVersion, PluginOptions, Ports } from '../../src/proxy-wasm/index.ts'
import { runIn, standaloneIo, Status } from '../../src/proxy-wasm/index.ts'
import { mayAnswer } from '../../src/proxy-wasm/abi/host-answers.ts'
import type { HostFunctionRow } from '../../src/proxy-wasm/abi/host-functions.ts'
import type { GuestArg } from './allocating-guest.ts'
import { type Machine, machine, probe, type ProbeLine, script } from './machine.ts'
import { post } from './play.ts'
import { answerInside } from './re-entry.ts'
import { rowOf } from './row-of.ts'

/** A number, or the address or length of bytes, or the address of one of four result slots. */
export type Arg =
  | number
  | { readonly ptr: unknown }
  | { readonly len: unknown }
  | { readonly out: number }

export type Misuse = readonly [what: string, args: readonly Arg[], status: number]

export interface HostCallSpec {
  /** Arguments that succeed. */
  readonly args: readonly Arg[]
  /** Where they do; `request_headers` unless said. */
  readonly phase?: string
  /** Steps that come first, in the same callback. */
  readonly before?: readonly object[]
  /** Results in the slots, as decimal strings. */
  readonly slots?: readonly unknown[]
  readonly misuse?: readonly Misuse[]
  readonly ports?: Partial<Ports>
  readonly plugin?: Partial<PluginOptions>
}

/** Every callback in which a host call is tried. */
export const PHASES: readonly string[] = [
  'vm_start',
  'configure',
  'request_headers',
  'request_body',
  'response_headers',
  'response_body',
  'log',
  'done',
  'delete',
  'tick',
]

const BEYOND = [0xffff_fff0, 0xffff_ffff, 0x7fff_ffff] as const

/** Bytes as an input slice: address and length. */
export function slice(bytes: unknown): [Arg, Arg] {
  return [{ ptr: bytes }, { len: bytes }]
}

/** The tests of one host function of the specification. */
export function describeHostCall(name: string, spec: HostCallSpec): void {
  const row = rowOf(name)
  const { phase = 'request_headers', before = [], misuse = [] } = spec
  describe.each(row.versions)(`${name} in %s`, (version) => {
    const statuses = async (calls: readonly (readonly Arg[])[]): Promise<unknown[]> => {
      const steps = calls.flatMap((args) => [...before, raw(name, args)])
      const lines = await run(version, { [phase]: steps }, spec)
      return answers(lines).map((line) => line['status'])
    }

    it(`works in ${phase}`, async () => {
      const [line] = answers(
        await run(version, { [phase]: [...before, raw(name, spec.args)] }, spec),
      )
      expect(line).toMatchObject({ status: Status.Ok, ...(spec.slots && { slots: spec.slots }) })
    })

    it('answers what the table says in every callback', async () => {
      const steps = Object.fromEntries(PHASES.map((each) => [each, [raw(name, spec.args)]]))
      const ticking = {
        configure: [{ call: 'set_tick_period', ms: 1 }, ...(steps['configure'] ?? [])],
      }
      const lines = answers(await run(version, { ...steps, ...ticking }, spec))
      expect(lines.length).toBeGreaterThan(3)
      const wrong = lines.filter((line) => !mayAnswer(name, Number(line['status'])))
      expect(wrong).toEqual([])
    })

    it('answers what the table says from inside of an allocation, which goes on', async () => {
      const ports = { foreignFunctions: envoyFunctions(), ...spec.ports }
      const status = await answerInside(version, [name, ...guestArgs(spec.args)], ports)
      expect(mayAnswer(name, status)).toBe(true)
    })

    const addresses = wrongAddresses(row, spec.args)
    if (addresses.length > 0) {
      it('answers InvalidMemoryAccess for addresses and lengths beyond memory', async () => {
        const found = await statuses([...addresses, spec.args])
        // what was refused has left nothing behind: the right call works after all of them
        expect(found).toEqual([...addresses.map(() => Status.InvalidMemoryAccess), Status.Ok])
      })
    }

    const numbers = oddNumbers(row, spec.args)
    if (numbers.length > 0) {
      it('answers what the table says to any number in place of an id, a type or a count', async () => {
        const found = await statuses(numbers)
        expect(found).toHaveLength(numbers.length)
        expect(found.filter((status) => !mayAnswer(name, Number(status)))).toEqual([])
      })
    }

    // 0.1.0 allocates with malloc, which the probe cannot make fail
    if (row.params.some((param) => param.name === 'return_value_data') && version !== '0.1.0') {
      it('answers InvalidMemoryAccess when the guest has no memory for the result', async () => {
        const steps = [...before, { call: 'fail_allocations' }, raw(name, spec.args)]
        const lines = await run(version, { [phase]: steps }, spec)
        expect(answers(lines)).toMatchObject([{ status: Status.InvalidMemoryAccess }])
      })
    }

    if (misuse.length > 0) {
      it.each(misuse)('answers %s', async (_, args, status) => {
        expect(await statuses([args])).toEqual([status])
        expect(mayAnswer(name, status)).toBe(true)
      })
    }
  })
}

/** Arguments as a guest by hand takes them: bytes that are address and length at once. */
function guestArgs(args: readonly Arg[]): GuestArg[] {
  return args.flatMap((arg): GuestArg[] => {
    if (typeof arg === 'number' || 'out' in arg) return [arg]
    return 'ptr' in arg ? [bytesOf(arg.ptr)] : []
  })
}

/** The bytes that a value of the probe's scripts stands for, one character for each. */
function bytesOf(value: unknown): string {
  if (typeof value === 'string') return value
  const given = value as { hex?: string; concat?: unknown[]; repeat?: unknown; times?: number }
  if (given.hex !== undefined) return Buffer.from(given.hex, 'hex').toString('latin1')
  if (given.concat !== undefined) return given.concat.map(bytesOf).join('')
  return bytesOf(given.repeat).repeat(given.times ?? 1)
}

/** A call by its number of bytes and addresses. */
export function raw(name: string, args: readonly Arg[]): object {
  return { call: 'raw', function: name, args }
}

/** The lines of raw calls. */
export function answers(lines: readonly ProbeLine[]): ProbeLine[] {
  return lines.filter((line) => line.call === 'raw')
}

/** The good arguments with each address and length replaced by one that reaches beyond memory. */
function wrongAddresses({ params }: HostFunctionRow, good: readonly Arg[]): (readonly Arg[])[] {
  return params.flatMap(({ name }, i) => {
    const replaced = (values: readonly number[]): (readonly Arg[])[] =>
      values.map((value) => good.with(i, value))
    if (name.startsWith('return_')) return replaced(BEYOND)
    const size = params[i + 1]
    const isSlice = name.endsWith('_data') && size?.name === name.replace(/_data$/, '_size')
    if (!isSlice) return []
    // an empty slice may be anywhere
    const filled = good.with(i + 1, 16)
    return [
      ...BEYOND.map((value) => filled.with(i, value)),
      good.with(i + 1, 0xffff_ffff),
      good.with(i + 1, 0x7fff_ffff),
    ]
  })
}

/** The good arguments with each plain number replaced by the least, the greatest and odd ones. */
function oddNumbers({ params }: HostFunctionRow, good: readonly Arg[]): (readonly Arg[])[] {
  return params.flatMap(({ name }, i) => {
    const plain = !/^return_|_(data|size)$/.test(name)
    return plain ? [-1, 0, 9, 0x7fff_ffff, -0x8000_0000].map((value) => good.with(i, value)) : []
  })
}

/** Sends one request with a body through a probe that was retired afterwards, so that all callbacks come. */
export async function run(
  version: AbiVersion,
  steps: Readonly<Record<string, readonly unknown[]>>,
  { ports, plugin: options }: Pick<HostCallSpec, 'ports' | 'plugin'> = {},
): Promise<ProbeLine[]> {
  const host: Machine = machine({ ports: { foreignFunctions: envoyFunctions(), ...ports } })
  const configuration = script(steps)
  const plugin = await host.plugin({
    module: probe(version),
    configuration,
    vmConfiguration: configuration,
    ...options,
  })
  const response = await host.send([plugin], { request: post('the body') })
  await response.arrayBuffer()
  const { lastError } = plugin
  if (lastError !== undefined) throw lastError
  runIn(standaloneIo(), () => plugin.retire())
  const trapped = host.logs.find(({ message }) => message.startsWith('the plugin trapped'))
  if (trapped !== undefined) throw new Error(trapped.message)
  return host.lines()
}
