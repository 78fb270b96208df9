/** `proxy_set_effective_context`: the context that host calls act on. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_set_effective_context', {
  args: [1],
  misuse: [
    ['Ok to 0, the current context again', [0], Status.Ok],
    ['BadArgument to a context nobody has', [77], Status.BadArgument],
    ['BadArgument to the greatest number', [-1], Status.BadArgument],
  ],
})
