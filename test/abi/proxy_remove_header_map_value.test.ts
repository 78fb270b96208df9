/** `proxy_remove_header_map_value`: headers removed. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_remove_header_map_value', {
  args: [0, ...slice('x-a')],
  misuse: [
    ['BadArgument to a map that is none', [8, ...slice('x')], Status.BadArgument],
    ['BadArgument to gRPC metadata', [4, ...slice('x')], Status.BadArgument],
    ['Ok to a header that is not there', [0, ...slice('x-none')], Status.Ok],
    ['Ok to a map that cannot be edited', [2, ...slice('x')], Status.Ok],
  ],
})
