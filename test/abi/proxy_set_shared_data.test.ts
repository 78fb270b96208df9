/** `proxy_set_shared_data`: shared data written. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_set_shared_data', {
  args: [...slice('key'), ...slice('value'), 0],
  before: [{ call: 'shared_data_set', key: 'taken', value: '1' }],
  misuse: [
    ['CasMismatch to another cas', [...slice('taken'), ...slice('2'), 99], Status.CasMismatch],
    [
      'Ok to any cas of an absent key, as in Envoy',
      [...slice('absent'), ...slice('2'), 99],
      Status.Ok,
    ],
    ['Ok to no key and no value', [0, 0, 0, 0, 0], Status.Ok],
  ],
})
