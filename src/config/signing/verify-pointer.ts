/**
 * Who says that a revision may run: an Ed25519 signature over the pointer, made where the private key
 * is, which is on no server. A snapshot is named by its sha256, so signing the pointer signs it all.
 */
import type { ActivePointer, UnsignedPointer } from '../active-pointer.ts'
import { canonicalJson } from '../canonical.ts'
import { fromBase64Url } from './public-key.ts'
import type { TrustedKeys } from './public-key.ts'

/** Why a pointer is not taken. */
export interface PointerRefusal {
  readonly code:
    | 'config.signature_missing'
    | 'config.signature_invalid'
    | 'config.signature_key_unknown'
    | 'config.signature_expired'
    | 'config.revision_older'
    | 'config.revision_reused'
  readonly message: string
}

/** The bytes that are signed: canonical JSON of the pointer without its signature. */
export function signedBytes(pointer: ActivePointer): Uint8Array {
  const { revision, snapshot, previous, issuedAt, expiresAt } = pointer
  const unsigned = { revision, snapshot, previous, issuedAt, expiresAt }
  // `expiresAt: undefined` is left out by JSON, as an absent one
  return new TextEncoder().encode(canonicalJson(unsigned))
}

/**
 * Whether a gateway may take a pointer: signed by a key it trusts, and not expired. It says nothing
 * of what runs already, which an expired signature does not stop.
 * @param trusted undefined where no keys are configured: everything may be taken
 * @param now milliseconds since the Unix epoch
 * @returns undefined when it may, else why not
 */
export async function verifyPointer(
  pointer: ActivePointer,
  trusted: TrustedKeys | undefined,
  now: number,
): Promise<PointerRefusal | undefined> {
  if (trusted === undefined) return undefined
  return (await verifySignature(pointer, trusted)) ?? expired(pointer, now)
}

/** The part of `verifyPointer` that stays true for ever. */
export async function verifySignature(
  pointer: ActivePointer,
  trusted: TrustedKeys,
): Promise<PointerRefusal | undefined> {
  const { revision, signature } = pointer
  if (signature === undefined) {
    const message = `revision ${revision} is not signed, and this gateway takes signed ones only`
    return { code: 'config.signature_missing', message }
  }
  const bytes = trusted.get(signature.keyId)
  if (bytes === undefined) {
    const message = `revision ${revision} is signed by the key ${signature.keyId}, which is not trusted here`
    return { code: 'config.signature_key_unknown', message }
  }
  const key = await crypto.subtle.importKey('raw', bytes, 'Ed25519', false, ['verify'])
  const value = fromBase64Url(signature.value)
  const signed = new Uint8Array(signedBytes(pointer))
  if (await crypto.subtle.verify('Ed25519', key, value, signed)) return undefined
  const message = `the signature of revision ${revision} is not one of the key ${signature.keyId} over it`
  return { code: 'config.signature_invalid', message }
}

function expired(
  { revision, expiresAt }: UnsignedPointer,
  now: number,
): PointerRefusal | undefined {
  if (expiresAt === undefined || now < Date.parse(expiresAt)) return undefined
  const message = `revision ${revision} may be taken until ${expiresAt} only`
  return { code: 'config.signature_expired', message }
}
