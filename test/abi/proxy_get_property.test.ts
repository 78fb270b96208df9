/** `proxy_get_property`: attributes and what plugins set. */
import { describe } from 'vitest'
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

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

describeReEntry('proxy_get_property', {
  before: [['proxy_set_property', 'mine', 'as it was']],
  args: ['mine', { out: 0 }, { out: 1 }],
  returned: 'as it was',
})

describe('a number', () => {
  describeReEntry('proxy_get_property', {
    args: ['request\0size', { out: 0 }, { out: 1 }],
    returned: '\u0008\0\0\0\0\0\0\0',
  })
})
