/** `proxy_get_shared_data`: shared data read. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_get_shared_data', {
  args: [...slice('key'), { out: 0 }, { out: 1 }, { out: 2 }],
  before: [{ call: 'shared_data_set', key: 'key', value: 'value' }],
  misuse: [
    [
      'NotFound to an absent key',
      [...slice('absent'), { out: 0 }, { out: 1 }, { out: 2 }],
      Status.NotFound,
    ],
    ['NotFound to no key', [0, 0, { out: 0 }, { out: 1 }, { out: 2 }], Status.NotFound],
  ],
})

describeReEntry('proxy_get_shared_data', {
  before: [['proxy_set_shared_data', 'key', 'as it was', 0]],
  args: ['key', { out: 0 }, { out: 1 }, { out: 2 }],
  returned: 'as it was',
})
