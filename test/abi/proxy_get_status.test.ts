/** `proxy_get_status`: why the last call failed. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_status', {
  args: [{ out: 0 }, { out: 1 }, { out: 2 }],
  slots: ['0', '0', '0', '0'],
})
