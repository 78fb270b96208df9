/** `proxy_log`: log lines of the guest. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_log', {
  args: [2, ...slice('hello')],
  misuse: [
    ['BadArgument to a level above critical', [6, ...slice('x')], Status.BadArgument],
    ['BadArgument to a negative level', [-1, ...slice('x')], Status.BadArgument],
  ],
})
