import { describe, expect, it } from 'vitest'
import { machine, moduleAt, probe, script } from '../support/machine.ts'

describe('the lifecycle a guest sees', () => {
  it('creates, starts and configures the root, then each stream, in the order of the spec', async () => {
    const host = machine()
    const plugin = await host.plugin({ module: probe(), configuration: script({}) })
    const response = await host.send([plugin])
    expect(await response.text()).toBe('ok')
    const order = host.lines().flatMap((line) => (line.on ? [`${line.on} ${line['context']}`] : []))
    expect(order).toEqual([
      'initialize 0',
      'create 1',
      'vm_start 1',
      'configure 1',
      'create 2',
      'request_headers 2',
      'response_headers 2',
      'log 2',
      'done 2',
      'delete 2',
    ])
  })

  it('edits headers with a real Rust SDK plugin', async () => {
    const host = machine()
    const plugin = await host.plugin({
      name: 'header-policy',
      module: moduleAt('plugins/header-policy/1.1.0.wasm'),
      configuration: '{"request":{"set":{"x-a":"1"}},"response":{"set":{"x-b":"2"}}}',
    })
    let seen: Headers | undefined
    const response = await host.send([plugin], {
      upstream: (outbound) => {
        seen = new Headers(outbound.headers)
        return new Response('ok')
      },
    })
    expect(seen?.get('x-a')).toBe('1')
    expect(response.headers.get('x-b')).toBe('2')
  })
})
