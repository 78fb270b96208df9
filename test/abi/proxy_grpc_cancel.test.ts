/** `proxy_grpc_cancel`: gRPC callouts given up. */
import type { GrpcCallsPort, GrpcEvent } from '../../src/proxy-wasm/index.ts'
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

const PENDING: GrpcCallsPort = {
  declares: (_plugin, upstream) => upstream === 'up',
  start: () => ({ events: never(), cancel() {} }),
}

async function* never(): AsyncGenerator<GrpcEvent, void, void> {
  await new Promise(() => {})
  yield { kind: 'close', status: 0, message: '' }
}

describeHostCall('proxy_grpc_cancel', {
  args: [6],
  ports: { grpcCalls: PENDING },
  before: [{ call: 'grpc_stream', upstream: 'up', service: 's', method: 'm' }],
  misuse: [
    ['NotFound to a token nobody has', [99], Status.NotFound],
    ['NotFound to the token of no kind', [-1], Status.NotFound],
    ['NotFound to an HTTP call’s token', [4], Status.NotFound],
  ],
})
