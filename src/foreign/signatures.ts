/**
 * Envoy's `verify_signature` and `sign`: RSA (PKCS #1 v1.5) and ECDSA over a SHA, with keys in DER or PEM.
 * Arguments and results are protobuf messages of Envoy's.
 * @see https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/foreign.cc
 */
import { type ForeignFunction, Status } from '../proxy-wasm/index.ts'
import {
  protoBytes,
  type ProtoField,
  protoText,
  readProto,
  writeProto,
} from '../proxy-wasm/memory/protobuf.ts'
import type { SyncCrypto } from './platform.ts'

const HASHES: ReadonlySet<string> = new Set(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'])
const NONE: Uint8Array<ArrayBuffer> = new Uint8Array(0)
const BAD_ARGUMENT = { status: Status.BadArgument } as const

/** VerifySignatureArguments */
const VERIFY = { hash: 1, key: 2, signature: 3, text: 4, pem: 5 } as const
/** SignArguments */
const SIGN = { hash: 1, key: 2, text: 3, pem: 4 } as const

interface Key {
  readonly key: Uint8Array | string
  readonly format: 'der' | 'pem'
}

/** @returns the functions by name; `BadArgument` for no such message or not exactly one form of the key */
export function signatureFunctions(
  crypto: SyncCrypto,
): Readonly<Record<'verify_signature' | 'sign', ForeignFunction>> {
  return {
    /** VerifySignatureResult: `result` 1, `error` 2 */
    verify_signature(args) {
      const fields = readProto(args) ?? []
      const key = keyOf(fields, VERIFY)
      if (key === undefined) return BAD_ARGUMENT
      const hash = hashOf(fields, VERIFY.hash)
      if (!HASHES.has(hash)) return failed(2, `${hash} is not supported.`)
      const publicKey = imported(() => crypto.createPublicKey({ ...key, type: 'spki' }))
      if (publicKey === undefined) return failed(2, 'Failed to import public key.')
      const signature = protoBytes(fields, VERIFY.signature) ?? NONE
      const text = protoBytes(fields, VERIFY.text) ?? NONE
      const valid = imported(() => crypto.verify(hash, text, publicKey, signature)) ?? false
      return valid ? writeProto([[1, true]]) : failed(2, 'Failed to verify digest.')
    },

    /** SignResult: `result` 1, `signature` 2, `error` 3 */
    sign(args) {
      const fields = readProto(args) ?? []
      const key = keyOf(fields, SIGN)
      if (key === undefined) return BAD_ARGUMENT
      const hash = hashOf(fields, SIGN.hash)
      if (!HASHES.has(hash)) return failed(3, `${hash} is not supported.`)
      const privateKey = imported(() => crypto.createPrivateKey({ ...key, type: 'pkcs8' }))
      if (privateKey === undefined) return failed(3, 'Failed to import private key.')
      const text = protoBytes(fields, SIGN.text) ?? NONE
      const signature = imported(() => crypto.sign(hash, text, privateKey))
      if (signature === undefined) return failed(3, 'Failed to create the signature.')
      return writeProto([
        [1, true],
        [2, signature],
      ])
    },
  }
}

/** Exactly one of the two forms; an empty one is absent, as in proto3. */
function keyOf(
  fields: readonly ProtoField[],
  at: { readonly key: number; readonly pem: number },
): Key | undefined {
  const der = protoBytes(fields, at.key) ?? NONE
  const pem = protoText(fields, at.pem)
  if (der.length > 0 === (pem !== '')) return undefined
  return pem === '' ? { key: der, format: 'der' } : { key: pem, format: 'pem' }
}

function hashOf(fields: readonly ProtoField[], at: number): string {
  return protoText(fields, at).toLowerCase()
}

function failed(errorField: number, error: string): Uint8Array {
  return writeProto([[errorField, error]])
}

/** What the platform throws for bytes that are no key: undefined. */
function imported<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
