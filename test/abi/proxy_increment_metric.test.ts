/** `proxy_increment_metric`: counters and gauges changed. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_increment_metric', {
  args: [4, 1],
  before: [
    { call: 'metric_define', type: 'counter', name: 'c' },
    { call: 'metric_define', type: 'gauge', name: 'g' },
    { call: 'metric_define', type: 'histogram', name: 'h' },
  ],
  misuse: [
    ['BadArgument to 0 for a counter', [4, 0], Status.BadArgument],
    ['BadArgument to a counter that goes down', [4, -1], Status.BadArgument],
    ['Ok to a gauge that goes down', [5, -1], Status.Ok],
    ['BadArgument to a histogram', [6, 1], Status.BadArgument],
    ['NotFound to a metric nobody has', [97, 1], Status.NotFound],
    ['NotFound to 0', [0, 1], Status.NotFound],
  ],
})
