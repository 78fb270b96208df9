/** `proxy_dequeue_shared_queue`: items taken from queues. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_dequeue_shared_queue', {
  args: [1, { out: 0 }, { out: 1 }],
  before: [
    { call: 'queue_register', name: 'queue' },
    { call: 'queue_enqueue', queue: 1, value: 'item' },
  ],
  misuse: [
    ['NotFound to a queue nobody has', [99, { out: 0 }, { out: 1 }], Status.NotFound],
    ['NotFound to 0', [0, { out: 0 }, { out: 1 }], Status.NotFound],
  ],
})

describeReEntry('proxy_dequeue_shared_queue', {
  before: [
    ['proxy_register_shared_queue', 'queue', { out: 0 }],
    ['proxy_enqueue_shared_queue', 1, 'first'],
    ['proxy_enqueue_shared_queue', 1, 'second'],
  ],
  args: [1, { out: 0 }, { out: 1 }],
  returned: 'first',
})
