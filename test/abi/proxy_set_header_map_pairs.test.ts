/** `proxy_set_header_map_pairs`: whole header maps replaced. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

const ONE_PAIR = { hex: '01000000010000000100000078007900' }
const TOO_FAR = { hex: '0100000001000000ff00000078007900' }
const TOO_MANY = { concat: [{ hex: '01040000' }, { repeat: '\0', times: 10_250 }] }
const TOO_LONG = { repeat: '\0', times: 1024 * 1024 + 1 }

describeHostCall('proxy_set_header_map_pairs', {
  args: [0, ...slice(ONE_PAIR)],
  misuse: [
    ['BadArgument to a map that is none', [8, ...slice(ONE_PAIR)], Status.BadArgument],
    ['BadArgument to a reply’s headers', [6, ...slice(ONE_PAIR)], Status.BadArgument],
    ['BadArgument to pairs that reach too far', [0, ...slice(TOO_FAR)], Status.BadArgument],
    [
      'BadArgument to bytes left over',
      [0, ...slice({ concat: [ONE_PAIR, 'x'] })],
      Status.BadArgument,
    ],
    ['BadArgument to more than 1024 pairs', [0, ...slice(TOO_MANY)], Status.BadArgument],
    ['BadArgument to more than 1 MiB', [0, ...slice(TOO_LONG)], Status.BadArgument],
    ['Ok to the pairs of a map that cannot be edited any more', [2, ...slice(ONE_PAIR)], Status.Ok],
  ],
})
