/** `proxy_get_property`: attributes and what plugins set. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'

const LONG = { repeat: 'a\0', times: 50_000 }

describeHostCall('proxy_get_property', {
  args: [...slice('plugin_name'), { out: 0 }, { out: 1 }],
  misuse: [
    ['NotFound to no path', [...slice(''), { out: 0 }, { out: 1 }], Status.NotFound],
    ['NotFound to NULs', [...slice('\0\0\0'), { out: 0 }, { out: 1 }], Status.NotFound],
    [
      'NotFound to names of JavaScript',
      [...slice('constructor'), { out: 0 }, { out: 1 }],
      Status.NotFound,
    ],
    [
      'NotFound to a whole namespace',
      [...slice('request'), { out: 0 }, { out: 1 }],
      Status.NotFound,
    ],
    ['NotFound to a very long path', [...slice(LONG), { out: 0 }, { out: 1 }], Status.NotFound],
  ],
})
