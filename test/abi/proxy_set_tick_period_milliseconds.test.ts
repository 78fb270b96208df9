/** `proxy_set_tick_period_milliseconds`: ticks of the plugin. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_set_tick_period_milliseconds', {
  args: [1000],
  phase: 'configure',
  misuse: [
    ['Ok to 0, which turns them off', [0], Status.Ok],
    ['Ok to the longest period', [-1], Status.Ok],
  ],
})
