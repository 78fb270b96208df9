/** `proxy_continue_stream`: streams resumed. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_continue_stream', {
  args: [0],
  misuse: [
    ['Ok to the response, which is not there yet', [1], Status.Ok],
    ['Ok to a connection', [2], Status.Ok],
    ['Unimplemented to an upstream connection, as in Envoy', [3], Status.Unimplemented],
    ['BadArgument to a stream that is none', [4], Status.BadArgument],
    ['BadArgument to a negative stream', [-1], Status.BadArgument],
  ],
})
