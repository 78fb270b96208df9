/** Foreign functions in the built Worker in workerd: zlib and signatures, synchronously. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeProto } from '../../src/proxy-wasm/memory/protobuf.ts'
import { send } from '../support/client.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { probe, upstreamAndRoute } from '../support/policy.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.stop())

const hex = (bytes: Uint8Array): object => ({ hex: Buffer.from(bytes).toString('hex') })

describe('a foreign function in workerd', () => {
  it('compresses and uncompresses', async () => {
    await answerWith([
      { call: 'foreign', function: 'compress', argument: 'hello '.repeat(20), save: 'packed' },
      { call: 'foreign', function: 'uncompress', argument: { saved: 'packed' }, save: 'body' },
    ])
    expect((await send(`${gateway.url}/`)).text).toBe('hello '.repeat(20))
  })

  it.each([
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ECDSA', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])('verifies a signature with %s', async (_, { publicKey, privateKey }) => {
    const key = publicKey.export({ type: 'spki', format: 'der' })
    const signature = sign('sha256', Buffer.from('text'), privateKey)
    const args = writeProto([
      [1, 'sha256'],
      [2, key],
      [3, signature],
      [4, 'text'],
    ])
    await answerWith([
      { call: 'foreign', function: 'verify_signature', argument: hex(args), save: 'body' },
    ])
    // VerifySignatureResult { result: true }
    expect((await send(`${gateway.url}/`)).text).toBe('\u0008\u0001')
  })
})

async function answerWith(steps: readonly object[]): Promise<void> {
  const reply = { call: 'local_reply', status: 200, body: { saved: 'body' } }
  await gateway.policy(
    upstreamAndRoute(gateway.origin.url),
    probe('f', { request_headers: [...steps, reply] }),
  )
}
