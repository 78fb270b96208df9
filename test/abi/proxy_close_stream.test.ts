/** `proxy_close_stream`: streams closed. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_close_stream', {
  args: [0],
  misuse: [
    ['Ok to the response', [1], Status.Ok],
    ['Ok to connections', [3], Status.Ok],
    ['BadArgument to a stream that is none', [4], Status.BadArgument],
    ['BadArgument to a negative stream', [-1], Status.BadArgument],
  ],
})
