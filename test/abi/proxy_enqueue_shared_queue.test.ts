/** `proxy_enqueue_shared_queue`: items put into queues. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_enqueue_shared_queue', {
  args: [1, ...slice('item')],
  before: [{ call: 'queue_register', name: 'queue' }],
  misuse: [
    ['NotFound to a queue nobody has', [99, ...slice('x')], Status.NotFound],
    ['NotFound to 0', [0, ...slice('x')], Status.NotFound],
    ['Ok to an empty item', [1, 0, 0], Status.Ok],
  ],
})
