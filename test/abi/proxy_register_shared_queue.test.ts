/** `proxy_register_shared_queue`: queues registered. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_register_shared_queue', {
  args: [...slice('queue'), { out: 0 }],
  misuse: [['Ok to no name', [0, 0, { out: 0 }], Status.Ok]],
})
