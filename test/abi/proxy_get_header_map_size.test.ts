/** `proxy_get_header_map_size`: sizes of header maps. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_header_map_size', {
  args: [0, { out: 0 }],
  misuse: [
    ['BadArgument to a map that is none', [8, { out: 0 }], Status.BadArgument],
    ['BadArgument to a negative map', [-1, { out: 0 }], Status.BadArgument],
  ],
})
