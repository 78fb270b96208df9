import { describe, expect, it } from 'vitest'
import { script } from '../support/machine.ts'
import { during, on, play, playChain, statuses } from '../support/play.ts'

describe('capabilities', () => {
  const allowed = [
    'proxy_log',
    'proxy_get_buffer_bytes',
    'proxy_get_property',
    'proxy_on_context_create',
    'proxy_on_vm_start',
    'proxy_on_configure',
    'proxy_on_request_headers',
    'proxy_on_log',
    // what the guest's own language runtime needs
    'random_get',
    'environ_get',
    'environ_sizes_get',
  ]

  it('a host call that is not allowed answers 10 and does nothing; WASI answers 76', async () => {
    const { lines, sent } = await play(
      {
        request_headers: [
          { call: 'set_header', name: 'x-a', value: '1' },
          { call: 'get_property', path: ['request', 'path'] },
          { call: 'clock' },
        ],
      },
      { plugin: { allowedCapabilities: allowed } },
    )
    expect(statuses(during(lines, 'request_headers'))).toEqual([10, 0, 76])
    expect(sent?.headers.has('x-a')).toBe(false)
  })

  it('a callback that is not allowed is as if it were not there', async () => {
    const { lines, body } = await play({}, { plugin: { allowedCapabilities: allowed } })
    expect(body).toBe('ok')
    expect(on(lines, 'response_headers')).toEqual([])
    expect(on(lines, 'response_body')).toEqual([])
    expect(on(lines, 'log')).toHaveLength(1)
  })

  it('of two plugins of one vm id are each their own', async () => {
    const { host } = await playChain([
      { vmId: 'v', configuration: script({}), allowedCapabilities: allowed },
      { vmId: 'v', configuration: script({}) },
    ])
    expect(on(host.lines('p1'), 'response_headers')).toEqual([])
    expect(on(host.lines('p2'), 'response_headers')).toHaveLength(1)
    expect(host.pool.size).toBe(2)
  })
})
