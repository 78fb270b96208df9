/** `proxy_get_buffer_status`: sizes of bodies, replies and configurations. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_buffer_status', {
  args: [0, { out: 0 }, { out: 1 }],
  phase: 'request_body',
  slots: ['8', '0', '0', '0'],
  misuse: [
    ['BadArgument to a buffer that is none', [9, { out: 0 }, { out: 1 }], Status.BadArgument],
    ['BadArgument to a negative buffer', [-1, { out: 0 }, { out: 1 }], Status.BadArgument],
  ],
})
