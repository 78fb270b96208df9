/** `proxy_grpc_stream`: gRPC streams. */
import { expect, it } from 'vitest'
import type { GrpcCallsPort, GrpcEvent } from '../../src/proxy-wasm/index.ts'
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
describeHostCall('proxy_grpc_stream', {
  args: [...CALL, { out: 0 }],
  ports: { grpcCalls: PENDING },
  slots: ['6', '0', '0', '0'],
  misuse: [
    [
      'ParseFailure to an upstream nobody declared',
      [...slice('down'), ...CALL.slice(2), { out: 0 }],
      Status.ParseFailure,
    ],
    [
      'ParseFailure to malformed metadata',
      [...CALL.slice(0, 6), ...slice('xyz'), { out: 0 }],
      Status.ParseFailure,
    ],
  ],
})

it('takes the seven parameters of AssemblyScript’s SDK', async () => {
  const status = await callByHand(
    'proxy_grpc_stream',
    '(param i32 i32 i32 i32 i32 i32 i32)',
    '(i32.const 0) (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)',
    {
      data: '(data (i32.const 0) "up") (data (i32.const 8) "s")',
      ports: { grpcCalls: PENDING },
    },
  )
  expect(status).toBe(0)
})
