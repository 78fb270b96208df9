import { describe, expect, it } from 'vitest'
import { handMade } from '../support/hand-made.ts'
import { machine, probe, script } from '../support/machine.ts'
import {
  callout,
  calls,
  during,
  PAUSE,
  play,
  playPlugins,
  post,
  reply,
  statuses,
} from '../support/play.ts'

describe('a guest whose memory grows', () => {
  it('during its callbacks is read and written where it is then', async () => {
    const { lines, sent } = await play(
      {
        request_headers: [
          { call: 'get_header', name: ':path' },
          { call: 'grow_memory', pages: 3 },
          { call: 'get_header', name: ':path' },
          { call: 'set_header', name: 'x-after', value: 'growth' },
        ],
        request_body: [
          { call: 'grow_memory', pages: 1 },
          { call: 'get_body' },
          { call: 'set_body', start: 4, size: 0, value: '!' },
        ],
      },
      { request: post('body') },
    )
    expect(calls(lines, 'get_header').map((line) => line['value'])).toEqual([
      '/items?page=2',
      '/items?page=2',
    ])
    expect(calls(lines, 'get_body')).toMatchObject([{ value: 'body' }])
    expect([sent?.headers.get('x-after'), sent?.body]).toEqual(['growth', 'body!'])
  })

  it('by what the host hands it: a megabyte of body', async () => {
    const big = 'x'.repeat(1_000_000)
    const { lines, sent } = await play(
      { request_body: [{ call: 'get_body', show: 4 }, { call: 'memory' }] },
      { request: post(big) },
    )
    expect(sent?.body).toHaveLength(1_000_000)
    const sizes = calls(lines, 'get_body').map((line) => Number(line['size']))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000_000)
  })
})

describe('a guest that has no memory to give', () => {
  it('gets 6 for what it asked and can go on', async () => {
    const { lines, body } = await play({
      request_headers: [
        { call: 'fail_allocations', count: 6 },
        { call: 'get_header', name: ':path' },
        { call: 'get_pairs' },
        { call: 'get_body', buffer: 'plugin_configuration' },
        { call: 'get_property', path: ['request', 'path'] },
        { call: 'shared_data_set', key: 'k', value: 'v' },
        { call: 'shared_data_get', key: 'k' },
        { call: 'get_header', name: ':path' },
        { call: 'get_header', name: ':path' },
      ],
    })
    expect(body).toBe('ok')
    expect(statuses(during(lines, 'request_headers').slice(1))).toEqual([6, 6, 6, 6, 0, 6, 6, 0])
  })

  it('needs none for what is empty', async () => {
    const { lines } = await play(
      {
        request_headers: [callout(), PAUSE],
        http_call_response: [
          { call: 'fail_allocations', count: 9 },
          { call: 'get_header', name: 'x-empty' },
          { call: 'get_body', buffer: 'call' },
          { call: 'get_pairs', map: 'call_trailers' },
          { call: 'fail_allocations', count: 0 },
          { call: 'set_effective_context', issuer: true },
          { call: 'continue_request' },
        ],
      },
      { callout: async () => reply(200, '', ['x-empty', '']) },
    )
    expect(statuses(during(lines, 'http_call_response').slice(1, 4))).toEqual([0, 0, 0])
  })
})

describe('an allocator that calls the host for ever', () => {
  it('ends its own vm, and nothing else', async () => {
    const host = machine()
    const endless = handMade(
      `(import "env" "proxy_get_property"
         (func $get (param i32 i32 i32 i32) (result i32)))
       (data (i32.const 0) "plugin_name")
       (func $again (export "malloc") (param i32) (result i32)
         (call $get (i32.const 0) (i32.const 11) (i32.const 64) (i32.const 68)))
       (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
         (call $again (i32.const 1)))`,
      { allocator: '' },
    )
    const bad = await host.plugin({ name: 'bad', module: endless })
    const good = await host.plugin({ name: 'good', module: probe(), configuration: script({}) })
    expect((await playPlugins(host, [bad])).response.status).toBe(503)
    expect([bad.state, bad.lastError?.message]).toEqual([
      'failed',
      expect.stringMatching(/allocator/),
    ])
    expect((await playPlugins(host, [good])).body).toBe('ok')
  })
})
