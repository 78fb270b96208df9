/** `proxy_get_status`: why the last call failed. */
import { describeHostCall } from '../support/abi.ts'
import { BROKEN, describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_get_status', {
  args: [{ out: 0 }, { out: 1 }, { out: 2 }],
  slots: ['0', '0', '0', '0'],
})

describeReEntry('proxy_get_status', {
  ...BROKEN,
  args: [{ out: 0 }, { out: 1 }, { out: 2 }],
  returned: 'reset',
})
