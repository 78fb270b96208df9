import { describe, expect, it } from 'vitest'
import { DecisionLog } from '../observe/index.ts'
import { Counter } from '../observe/metric.ts'
import {
  HeaderMap,
  inMemoryPorts,
  loadModule,
  Plugin,
  pluginSpec,
  standaloneIo,
  Tally,
  type Verdict,
  VmPool,
} from '../proxy-wasm/index.ts'
import { countsOf } from '../rollout/rollout-samples.ts'
import { Meters } from './meters.ts'
import { ShadowMeter } from './shadow-meter.ts'

const message = (...headers: string[]): { headers: string[]; body: undefined } => ({
  headers,
  body: undefined,
})
const passed = (...response: string[]): Verdict => ({
  outcome: 'passed',
  reply: undefined,
  request: message(':method', 'GET'),
  response: message(':status', '200', ...response),
})
const DENIED: Verdict = {
  ...passed(),
  outcome: 'answered',
  reply: { status: 403, headers: ['x-secret', 'token'], body: new Uint8Array(0) },
}
const ABOUT = {
  info: { startTime: 0n },
  request: new HeaderMap(['x-request-id', 'r1']),
  io: standaloneIo(),
}

function world(): {
  readonly meter: ShadowMeter
  readonly meters: Meters
  readonly lines: unknown[]
} {
  const lines: unknown[] = []
  const decisions = new DecisionLog({
    write: (line) => lines.push(JSON.parse(line)),
    revision: () => 7,
    versionOf: () => '1.1.0',
    dropped: new Counter(),
  })
  // (module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1")) (func (export "malloc")))
  const bytes = Uint8Array.from(
    Buffer.from(
      '0061736d0100000001040160000003030200000503010001072d03066d656d6f727902001770726f78795f6162695f76657273696f6e5f305f325f310000066d616c6c6f6300010a070202000b02000b',
      'hex',
    ),
  )
  const spec = pluginSpec({
    name: 'default.pricing',
    module: loadModule(new WebAssembly.Module(bytes), 'ab'),
    logOnly: { callouts: 'replay' },
    decisions: { sampling: 100, mask: [] },
  })
  const candidate = new Plugin(spec, 'key', new VmPool(inMemoryPorts({ decisions })))
  const meters = new Meters()
  return {
    meter: new ShadowMeter(meters, { rollout: 'default.p', run: '2' }, candidate),
    meters,
    lines,
  }
}

const counted = (meters: Meters, name: string): Record<string, unknown> =>
  Object.fromEntries(
    meters.registry
      .collect()
      .samples()
      .filter((sample) => sample.name === name)
      .map((sample) => [sample.labels, 'value' in sample ? sample.value : undefined]),
  )

describe('what shadow runs come to', () => {
  it('is counted by rollout, run and result', () => {
    const { meter, meters } = world()
    meter.compared(passed(), passed(), ABOUT)
    meter.compared(passed(), DENIED, ABOUT)
    meter.notCompared('busy')
    meter.notCompared('busy')
    expect(counted(meters, 'postern_shadow_runs_total')).toEqual({
      'result="equal",rollout="default.p",run="2"': 1,
      'result="different",rollout="default.p",run="2"': 1,
      'result="busy",rollout="default.p",run="2"': 2,
    })
  })

  it('is counted by kind of difference', () => {
    const { meter, meters } = world()
    meter.compared(passed(), passed('x-a', '1'), ABOUT)
    meter.compared(passed(), DENIED, ABOUT)
    expect(counted(meters, 'postern_shadow_differences_total')).toEqual({
      'class="response-headers",rollout="default.p",run="2"': 1,
      'class="local-reply",rollout="default.p",run="2"': 1,
    })
  })

  it('is what the analysis sees of both sides', () => {
    const { meter, meters } = world()
    meter.compared(passed(), DENIED, ABOUT)
    meter.compared(passed(), { ...passed(), outcome: 'failed' }, ABOUT)
    const side = (name: string): string =>
      `mode="shadow",rollout="default.p",run="2",side="${name}"`
    expect(counted(meters, 'postern_rollout_requests_total')).toEqual({
      [side('stable')]: 2,
      [side('candidate')]: 2,
    })
    expect(counted(meters, 'postern_rollout_denials_total')).toEqual({ [side('candidate')]: 1 })
    expect(counted(meters, 'postern_rollout_server_errors_total')).toEqual({
      [side('candidate')]: 1,
    })
  })

  it('is what the analysis sees of what both did, also where the candidate could not be called', () => {
    const { meter, meters } = world()
    const tally = (hostCalls: number, failed = false): Tally =>
      Object.assign(new Tally(), { hostCalls, failed })
    meter.compared({ ...passed(), tally: tally(2) }, { ...DENIED, tally: tally(5) }, ABOUT)
    meter.notCompared('unavailable', tally(2))
    meter.notCompared('unavailable')
    const found = countsOf([...meters.registry.collect().samples()]).get('default.p/2/shadow')
    expect(found).toMatchObject({
      stable: { streams: 2, traps: 0, hostCalls: { sum: 4, squares: 8 } },
      candidate: { streams: 2, traps: 1, hostCalls: { sum: 5, squares: 25 } },
    })
  })

  it('is in the decision log, a line for each difference, with no values of unknown headers', () => {
    const { meter, lines } = world()
    meter.compared(passed('x-a', 'private'), passed('x-a', 'secret'), ABOUT)
    meter.compared(passed(), passed(), ABOUT)
    expect(lines).toEqual([
      expect.objectContaining({
        decision: 'shadow',
        mode: 'shadow',
        details: 'response-headers',
        plugin: 'default.pricing',
        version: '1.1.0',
        revision: 7,
        changed: { 'x-a': '***' },
        requestId: 'r1',
      }),
    ])
  })
})
