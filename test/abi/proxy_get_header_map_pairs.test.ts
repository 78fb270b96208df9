/** `proxy_get_header_map_pairs`: whole header maps. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'
import { describeReEntry, wirePairs } from '../support/re-entry.ts'

describeHostCall('proxy_get_header_map_pairs', {
  args: [0, { out: 0 }, { out: 1 }],
  misuse: [
    ['BadArgument to a map that is none', [8, { out: 0 }, { out: 1 }], Status.BadArgument],
    ['Ok and nothing to a map that is not there', [6, { out: 0 }, { out: 1 }], Status.Ok],
    ['Ok and nothing to trailers', [1, { out: 0 }, { out: 1 }], Status.Ok],
  ],
})

const HEADERS = wirePairs(
  [':method', 'POST'],
  [':path', '/'],
  [':authority', 'shop.example'],
  ['x-first', '1'],
)

describeReEntry('proxy_get_header_map_pairs', {
  before: [['proxy_set_header_map_pairs', 0, HEADERS]],
  args: [0, { out: 0 }, { out: 1 }],
  returned: HEADERS,
})
