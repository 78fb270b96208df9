/**
 * Making keys and signatures, where the private key is: on the machine of whoever applies. Not part
 * of what is deployed.
 */
import * as v from 'valibot'
import type { ActivePointer, UnsignedPointer } from '../active-pointer.ts'
import { fromBase64Url, keyIdOf, publicKeyText, toBase64Url } from './public-key.ts'
import { signedBytes } from './verify-pointer.ts'

/** A private key, to sign with. */
export interface SigningKey {
  readonly keyId: string
  /** As it stands in TRUSTED_KEYS. */
  readonly publicKey: string
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>
}

const part = v.pipe(v.string(), v.regex(/^[\w-]{43}$/))
const privateJwk = v.looseObject({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: part,
  d: part,
})

/** @returns the text of a private key's file: a JWK */
export async function newPrivateKey(): Promise<string> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  if (!('privateKey' in pair)) throw new Error('the platform made no pair of keys')
  const { x = '', d = '' } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as {
    readonly x?: string
    readonly d?: string
  }
  const kid = keyIdOf(publicKeyText(fromBase64Url(x)))
  return `${JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid, x, d }, null, 2)}\n`
}

/**
 * @param text of a private key's file
 * @throws Error when it is none; nothing of it is in the message
 */
export async function readPrivateKey(text: string): Promise<SigningKey> {
  const jwk = parsed(text)
  const publicKey = publicKeyText(fromBase64Url(jwk.x))
  const key = await crypto.subtle
    .importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: jwk.x, d: jwk.d }, 'Ed25519', false, [
      'sign',
    ])
    .catch(() => {
      throw new Error('its two halves do not belong together')
    })
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign('Ed25519', key, new Uint8Array(bytes)))
  return { keyId: keyIdOf(publicKey), publicKey, sign }
}

/** @returns the pointer with its signature */
export async function signPointer(
  pointer: UnsignedPointer,
  { keyId, sign }: SigningKey,
): Promise<ActivePointer> {
  const value = toBase64Url(await sign(signedBytes(pointer)))
  return { ...pointer, signature: { keyId, value } }
}

function parsed(text: string): v.InferOutput<typeof privateJwk> {
  try {
    return v.parse(privateJwk, JSON.parse(text))
  } catch {
    throw new Error('it is no private Ed25519 key as `postern keys new` writes them')
  }
}
