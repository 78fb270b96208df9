/** `proxy_set_property`: values for later plugins. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_set_property', {
  args: [...slice('key'), ...slice('value')],
  misuse: [
    ['Ok to no value', [...slice('key'), 0, 0], Status.Ok],
    ['Ok to no path', [...slice(''), ...slice('x')], Status.Ok],
    [
      'BadArgument to the second value of what was declared read-only',
      [...slice('fixed'), ...slice('2')],
      Status.BadArgument,
    ],
  ],
  before: [
    { call: 'set_effective_context', root: true, quiet: true },
    // DeclarePropertyArguments { name: 'fixed', readonly: true }
    { call: 'foreign', function: 'declare_property', argument: '\n\u0005fixed\u0010\u0001' },
    { call: 'set_effective_context', quiet: true },
    { call: 'set_property', path: ['fixed'], value: '1' },
  ],
})
