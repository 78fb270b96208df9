/** `proxy_set_buffer_bytes`: edits of bodies. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_set_buffer_bytes', {
  args: [0, 0, -1, ...slice('new')],
  phase: 'request_body',
  misuse: [
    ['BadArgument to a buffer that is none', [9, 0, 0, ...slice('x')], Status.BadArgument],
    ['NotFound to a reply that is not there', [4, 0, 0, ...slice('x')], Status.NotFound],
    ['BadArgument to a configuration', [7, 0, 0, ...slice('x')], Status.BadArgument],
    ['Ok to a start far behind the end', [0, -1, -1, ...slice('x')], Status.Ok],
    ['Ok to the body of the other direction, with a warning', [1, 0, 0, ...slice('x')], Status.Ok],
  ],
})
