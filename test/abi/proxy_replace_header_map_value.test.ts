/** `proxy_replace_header_map_value`: headers replaced. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_replace_header_map_value', {
  args: [0, ...slice('x-a'), ...slice('1')],
  misuse: [
    ['BadArgument to a map that is none', [8, ...slice('x'), ...slice('1')], Status.BadArgument],
    ['BadArgument to a reply’s headers', [6, ...slice('x'), ...slice('1')], Status.BadArgument],
    ['Ok to bytes that no header may have', [0, ...slice('a b'), ...slice('\r\n\0')], Status.Ok],
    ['Ok to an empty name and value', [0, ...slice(''), ...slice('')], Status.Ok],
    ['Ok to a map that cannot be edited', [2, ...slice('x'), ...slice('1')], Status.Ok],
  ],
})
