/** `proxy_define_metric`: metrics defined. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_define_metric', {
  args: [0, ...slice('requests'), { out: 0 }],
  slots: ['4', '0', '0', '0'],
  misuse: [
    ['BadArgument to a type that is none', [3, ...slice('x'), { out: 0 }], Status.BadArgument],
    ['BadArgument to a negative type', [-1, ...slice('x'), { out: 0 }], Status.BadArgument],
    ['Ok to no name', [1, 0, 0, { out: 0 }], Status.Ok],
  ],
})
