/**
 * Public keys as operators hand them around: `ed25519:` and the 32 bytes in base64url. A key's id is
 * the beginning of that, so that everybody can tell by looking which key an id means.
 */

/** By id. */
export type TrustedKeys = ReadonlyMap<string, Uint8Array<ArrayBuffer>>

const ID_LENGTH = 16

/** @param bytes 32 of them */
export function publicKeyText(bytes: Uint8Array): string {
  return `ed25519:${toBase64Url(bytes)}`
}

/** @param text as `publicKeyText` writes it */
export function keyIdOf(text: string): string {
  return text.slice('ed25519:'.length).slice(0, ID_LENGTH)
}

/**
 * Reads the variable TRUSTED_KEYS: public keys with spaces, commas or newlines between them.
 * @param text undefined or empty: signatures are not checked
 * @returns the keys, and what among them is none. Where anything is set, something is checked: with
 *   no readable key nothing is trusted, rather than everything
 */
export function parseTrustedKeys(text: string | undefined): {
  readonly keys: TrustedKeys | undefined
  /** One sentence each. */
  readonly wrong: readonly string[]
} {
  const words = (text ?? '').split(/[\s,]+/).filter((word) => word !== '')
  if (words.length === 0) return { keys: undefined, wrong: [] }
  const keys = new Map<string, Uint8Array<ArrayBuffer>>()
  const wrong: string[] = []
  for (const word of words) {
    if (/^ed25519:[\w-]{43}$/.test(word)) keys.set(keyIdOf(word), fromBase64Url(word.slice(8)))
    // not the word itself: it may be a private key that was put there by mistake
    else wrong.push(`entry ${words.indexOf(word) + 1} is no ed25519:… public key`)
  }
  return { keys, wrong }
}

export function toBase64Url(bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** @param text base64url without anything else in it */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (char) => char.charCodeAt(0))
}
