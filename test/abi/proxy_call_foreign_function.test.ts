/** `proxy_call_foreign_function`: named extras of the host. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { describeHostCall, slice } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_call_foreign_function', {
  args: [...slice('compress'), ...slice('abc'), { out: 0 }, { out: 1 }],
  misuse: [
    [
      'NotFound to a name nobody has registered',
      [...slice('none'), 0, 0, { out: 0 }, { out: 1 }],
      Status.NotFound,
    ],
    ['NotFound to no name', [0, 0, 0, 0, { out: 0 }, { out: 1 }], Status.NotFound],
    ['Ok to results that are not wanted', [...slice('compress'), ...slice('abc'), 0, 0], Status.Ok],
    [
      'SerializationFailure to what is no zlib stream',
      [...slice('uncompress'), ...slice('abc'), { out: 0 }, { out: 1 }],
      Status.SerializationFailure,
    ],
    [
      'BadArgument to what is no message',
      [...slice('sign'), ...slice('\u00ff'), { out: 0 }, { out: 1 }],
      Status.BadArgument,
    ],
  ],
})

describeReEntry('proxy_call_foreign_function', {
  ports: { foreignFunctions: { find: () => (bytes) => bytes.toReversed() } },
  args: ['reverse', 'abc', { out: 0 }, { out: 1 }],
  returned: 'cba',
})
