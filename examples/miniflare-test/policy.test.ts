/** A policy file, tested as it will run. Its `npx vitest run` takes about two seconds. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type GatewayOnMiniflare, gatewayOnMiniflare } from './gateway-on-miniflare.ts'

let gateway: GatewayOnMiniflare
beforeAll(async () => {
  gateway = await gatewayOnMiniflare(new URL('policy.yaml', import.meta.url), (request) =>
    Response.json(
      { url: request.url, debug: request.headers.get('x-debug') },
      { headers: { 'x-powered-by': 'shop 1.2' } },
    ),
  )
})
afterAll(() => gateway.close())

it('forbids framing and does not say what serves the shop', async () => {
  const response = await gateway.fetch('/items')
  expect(response.headers.get('x-frame-options')).toBe('DENY')
  expect(response.headers.has('x-powered-by')).toBe(false)
})

it('sends requests to the shop without debugging headers', async () => {
  const response = await gateway.fetch('/items?page=2', { headers: { 'x-debug': '1' } })
  expect(await response.json()).toEqual({ url: 'https://shop.example/items?page=2', debug: null })
})
