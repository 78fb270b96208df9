/** A gRPC callout from the built Worker in workerd to a real gRPC-Web server: a request waits for its answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { type GrpcServer, SERVICE, startGrpcServer, stringValue } from '../support/grpc-server.ts'
import { probe, upstream, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
let server: GrpcServer
beforeAll(async () => {
  server = await startGrpcServer()
  gateway = await startGateway()
})
afterAll(async () => {
  await gateway.stop()
  await server.stop()
})

const target = { upstream: 'echo', service: SERVICE, label: 'g' }
const PAUSE = { call: 'return', action: 1 }
const ANSWER = [
  { call: 'set_effective_context', issuer: true },
  { call: 'local_reply', status: 200, body: { saved: 'body' } },
]

describe('a gRPC callout in workerd', () => {
  it('answers a paused request with what a unary call brought', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('echo', { url: server.url }),
      probe('g', {
        request_headers: [
          { call: 'grpc_call', ...target, method: 'Say', message: stringValue('from workerd') },
          PAUSE,
        ],
        grpc_receive: [{ call: 'get_body', save: 'body' }, ...ANSWER],
      }),
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text]).toEqual([200, stringValue('from workerd')])
  })

  it('streams messages until the close', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('echo', { url: server.url }),
      probe('g', {
        request_headers: [
          { call: 'grpc_stream', ...target, method: 'Count' },
          { call: 'grpc_send', label: 'g', message: stringValue('3:5:done'), end_of_stream: 1 },
          PAUSE,
        ],
        grpc_receive: [{ call: 'get_body', save: 'body' }],
        grpc_close: ANSWER,
      }),
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text]).toEqual([200, stringValue('#3')])
  })

  it('gives a stream up when its plugin cancels it', async () => {
    await gateway.policy(
      upstreamAndRoute(gateway.origin.url),
      upstream('echo', { url: server.url }),
      probe('g', {
        request_headers: [
          { call: 'grpc_stream', ...target, method: 'Count' },
          { call: 'grpc_send', label: 'g', message: stringValue('forever'), end_of_stream: 1 },
          PAUSE,
        ],
        grpc_receive: [
          { call: 'get_body', save: 'body' },
          { call: 'grpc_cancel', label: 'g', if: { nth: 2 } },
          { call: 'set_effective_context', issuer: true },
          { call: 'local_reply', body: { saved: 'body' }, if: { nth: 2 } },
        ],
      }),
    )
    const reply = await send(`${gateway.url}/`)
    expect([reply.status, reply.text]).toEqual([200, stringValue('#2')])
    await expect.poll(() => server.calls.at(-1)?.left()).toBe(true)
  })
})
