/** `proxy_get_buffer_bytes`: bytes of bodies, replies and configurations. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_get_buffer_bytes', {
  args: [0, 0, -1, { out: 0 }, { out: 1 }],
  phase: 'request_body',
  misuse: [
    ['BadArgument to a buffer that is none', [9, 0, 1, { out: 0 }, { out: 1 }], Status.BadArgument],
    ['BadArgument to a negative buffer', [-1, 0, 1, { out: 0 }, { out: 1 }], Status.BadArgument],
    ['Ok to a start behind the end', [0, 5000, 1, { out: 0 }, { out: 1 }], Status.Ok],
    ['Ok to the greatest start and size', [0, -1, -1, { out: 0 }, { out: 1 }], Status.Ok],
    ['Ok to a size of 0', [0, 0, 0, { out: 0 }, { out: 1 }], Status.Ok],
  ],
})

describeReEntry('proxy_get_buffer_bytes', {
  args: [0, 0, -1, { out: 0 }, { out: 1 }],
  phase: 'request_body',
  returned: 'the body',
})
