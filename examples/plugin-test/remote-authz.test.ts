/**
 * Tests of a plugin in TypeScript: it asks an upstream about every request, and the test answers for
 * that upstream. Copy this folder, name your own .wasm, and run `npx vitest run`.
 */
import { readFileSync } from 'node:fs'
import { type CalloutAnswer, testPlugin, type TestedPlugin } from 'postern/testing'
import { expect, it } from 'vitest'

const wasm = readFileSync(new URL('../../plugins/remote-authz/1.0.0.wasm', import.meta.url))

function withAnswer(answer: CalloutAnswer): Promise<TestedPlugin> {
  return testPlugin({
    wasm,
    configuration: { upstream: 'authz', path: '/check', copy_to_request: ['x-user'] },
    upstreams: { authz: answer },
  })
}

it('lets a request pass that the upstream allows', async () => {
  const plugin = await withAnswer({ status: 200, headers: { 'x-user': 'ann' } })
  const { request, response, callouts } = await plugin.request({
    path: '/orders',
    headers: { authorization: 'Bearer abc', 'x-user': 'mallory' },
    response: { status: 200, body: 'your orders' },
  })

  expect(request?.headers.get('x-user')).toBe('ann')
  expect(response?.text).toBe('your orders')
  expect(callouts[0]?.headers.toObject()).toMatchObject({
    ':path': '/check',
    'x-original-path': '/orders',
    authorization: 'Bearer abc',
  })
})

it('denies with the answer of the upstream', async () => {
  const plugin = await withAnswer({ status: 403, body: 'not you' })
  const { request, response } = await plugin.request({ path: '/orders' })

  expect(request).toBeUndefined()
  expect([response?.status, response?.text]).toEqual([403, 'not you'])
})

it('denies when nobody answers, and says so in the log', async () => {
  const plugin = await withAnswer('timeout')
  const { response, logs } = await plugin.request({ path: '/orders' })

  expect(response?.status).toBe(503)
  expect(logs.map(({ message }) => message).join('\n')).toContain('authz')
})
