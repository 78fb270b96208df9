/** `proxy_record_metric`: metrics recorded. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_record_metric', {
  args: [5, 7],
  before: [
    { call: 'metric_define', type: 'counter', name: 'c' },
    { call: 'metric_define', type: 'gauge', name: 'g' },
    { call: 'metric_define', type: 'histogram', name: 'h' },
  ],
  misuse: [
    ['Ok to a counter, which it adds to', [4, 7], Status.Ok],
    ['Ok to a histogram', [6, 7], Status.Ok],
    ['Ok to the greatest value', [5, -1], Status.Ok],
    ['NotFound to a metric nobody has', [99, 1], Status.NotFound],
  ],
})
