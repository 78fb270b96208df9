/** `proxy_send_local_response`: answers of plugins. */
import { expect, it } from 'vitest'
import { play } from '../support/play.ts'
import { Status } from '../../src/proxy-wasm/index.ts'
import { answers, describeHostCall, raw, slice } from '../support/abi.ts'

describeHostCall('proxy_send_local_response', {
  args: [403, ...slice('details'), ...slice('no'), ...slice(''), -1],
  misuse: [
    ['Ok to a status that HTTP has not got', [0, 0, 0, 0, 0, 0, 0, -1], Status.Ok],
    ['Ok to the greatest numbers', [-1, 0, 0, 0, 0, 0, 0, 0x7fff_ffff], Status.Ok],
    [
      'Ok to malformed headers, which are left out',
      [200, 0, 0, 0, 0, ...slice('xyz'), -1],
      Status.Ok,
    ],
  ],
})

it('counts once: a second answer in the same callback changes nothing', async () => {
  const answer = (status: number): object =>
    raw('proxy_send_local_response', [status, 0, 0, 0, 0, 0, 0, -1])
  const { lines, response } = await play({ request_headers: [answer(401), answer(402)] })
  expect(answers(lines)).toMatchObject([{ status: 0 }, { status: 0 }])
  expect(response.status).toBe(401)
})
