/** `proxy_grpc_send`: messages into gRPC streams. */
import type { GrpcCallsPort, GrpcEvent } from '../../src/proxy-wasm/index.ts'
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

const PENDING: GrpcCallsPort = {
  declares: (_plugin, upstream) => upstream === 'up',
  start: () => ({ events: never(), cancel() {} }),
}

async function* never(): AsyncGenerator<GrpcEvent, void, void> {
  await new Promise(() => {})
  yield { kind: 'close', status: 0, message: '' }
}

describeHostCall('proxy_grpc_send', {
  args: [6, ...slice('message'), 1],
  ports: { grpcCalls: PENDING },
  before: [{ call: 'grpc_stream', upstream: 'up', service: 's', method: 'm' }],
  misuse: [
    ['NotFound to a token nobody has', [99, ...slice('x'), 1], Status.NotFound],
    ['NotFound to 0', [0, ...slice('x'), 1], Status.NotFound],
    ['NotFound to the greatest token', [-1, ...slice('x'), 1], Status.NotFound],
  ],
})
