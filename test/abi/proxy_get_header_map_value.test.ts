/** `proxy_get_header_map_value`: values of headers. */
import { describe, expect, it } from 'vitest'
import { ABI_VERSIONS } from '../../src/proxy-wasm/index.ts'
import { probe } from '../support/machine.ts'
import { play } from '../support/play.ts'
import { Status } from '../../src/proxy-wasm/index.ts'
import { answers, describeHostCall, raw, slice } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_get_header_map_value', {
  args: [0, ...slice(':path'), { out: 0 }, { out: 1 }],
  misuse: [
    [
      'BadArgument to a map that is none',
      [8, ...slice('a'), { out: 0 }, { out: 1 }],
      Status.BadArgument,
    ],
    [
      'BadArgument to a negative map',
      [-1, ...slice('a'), { out: 0 }, { out: 1 }],
      Status.BadArgument,
    ],
  ],
})

describe.each(ABI_VERSIONS)('a header that is not there in %s', (version) => {
  it.each([0, 2, 6])('is NotFound since 0.2.0, empty before (map %d)', async (map) => {
    const step = raw('proxy_get_header_map_value', [
      map,
      ...slice('x-none'),
      { out: 0 },
      { out: 1 },
    ])
    const { lines } = await play(
      { request_headers: [step] },
      { plugin: { module: probe(version) } },
    )
    expect(answers(lines)).toMatchObject([{ status: version === '0.1.0' ? 0 : 1 }])
  })
})

describeReEntry('proxy_get_header_map_value', {
  args: [0, ':path', { out: 0 }, { out: 1 }],
  returned: '/items?page=2',
})
