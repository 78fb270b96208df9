/** `proxy_grpc_call`: unary gRPC callouts. */
import { expect, it } from 'vitest'
import type { GrpcCall, GrpcCallsPort, GrpcEvent } from '../../src/proxy-wasm/index.ts'
import { callByHand } from '../support/hand-made.ts'
import { Status } from '../../src/proxy-wasm/index.ts'
import { type Arg, describeHostCall, slice } from '../support/abi.ts'

const CALL: readonly Arg[] = [...slice('up'), ...slice('s'), ...slice('m'), ...slice('')]

const PENDING: GrpcCallsPort = {
  declares: (_plugin, upstream) => upstream === 'up',
  start: () => ({ events: never(), cancel() {} }),
}

async function* never(): AsyncGenerator<GrpcEvent, void, void> {
  await new Promise(() => {})
  yield { kind: 'close', status: 0, message: '' }
}
describeHostCall('proxy_grpc_call', {
  args: [...CALL, ...slice('message'), 100, { out: 0 }],
  ports: { grpcCalls: PENDING },
  slots: ['5', '0', '0', '0'],
  misuse: [
    [
      'ParseFailure to an upstream nobody declared',
      [...slice('down'), ...CALL.slice(2), 0, 0, 0, { out: 0 }],
      Status.ParseFailure,
    ],
    [
      'ParseFailure to no upstream',
      [0, 0, ...CALL.slice(2), 0, 0, 0, { out: 0 }],
      Status.ParseFailure,
    ],
    [
      'ParseFailure to malformed metadata',
      [...CALL.slice(0, 6), ...slice('xyz'), 0, 0, 0, { out: 0 }],
      Status.ParseFailure,
    ],
    ['Ok to no message and the longest timeout', [...CALL, 0, 0, -1, { out: 0 }], Status.Ok],
  ],
})

it('takes the ten parameters of AssemblyScript’s SDK', async () => {
  const i32 = '(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)'
  // the upstream's name is at 0, the service's and the method's at 8, the token goes to 16
  const call = '(i32.const 0) (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 8) (i32.const 1)'
  const rest = '(i32.const 0) (i32.const 2) (i32.const 100) (i32.const 16)'
  const seen: GrpcCall[] = []
  const start = (asked: GrpcCall): ReturnType<GrpcCallsPort['start']> => {
    seen.push(asked)
    return PENDING.start(asked)
  }
  const status = await callByHand('proxy_grpc_call', i32, `${call} ${rest}`, {
    data: '(data (i32.const 0) "up") (data (i32.const 8) "s")',
    ports: { grpcCalls: { ...PENDING, start } },
  })
  expect(status).toBe(0)
  expect(seen).toMatchObject([{ upstream: 'up', service: 's', method: 's', metadata: [] }])
  expect(seen[0]?.message?.length).toBe(2)
})
