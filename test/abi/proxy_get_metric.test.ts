/** `proxy_get_metric`: values of metrics. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_metric', {
  args: [4, { out: 0 }],
  before: [
    { call: 'metric_define', type: 'counter', name: 'c' },
    { call: 'metric_define', type: 'gauge', name: 'g' },
    { call: 'metric_define', type: 'histogram', name: 'h' },
  ],
  misuse: [
    ['BadArgument to a histogram, as in Envoy', [6, { out: 0 }], Status.BadArgument],
    ['NotFound to a metric nobody has', [97, { out: 0 }], Status.NotFound],
    ['BadArgument to an id whose type has no value', [-1, { out: 0 }], Status.BadArgument],
  ],
})
