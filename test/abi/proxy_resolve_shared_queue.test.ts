/** `proxy_resolve_shared_queue`: queues found by name. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_resolve_shared_queue', {
  args: [...slice(''), ...slice('queue'), { out: 0 }],
  before: [{ call: 'queue_register', name: 'queue' }],
  misuse: [
    ['NotFound to another name', [...slice(''), ...slice('none'), { out: 0 }], Status.NotFound],
    ['NotFound to another vm', [...slice('vm'), ...slice('queue'), { out: 0 }], Status.NotFound],
  ],
})
