/**
 * The names in a certificate's subject alternative name, which the platform does not give apart. Reads
 * just enough of DER; what is no certificate has no names.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
 */
import { bytesToByteString } from './byte-string.ts'

/** The first name of each kind, as Envoy's attributes have them. */
export interface CertificateNames {
  readonly dns: string | undefined
  readonly uri: string | undefined
}

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

const SEQUENCE = 0x30
const OCTET_STRING = 0x04
const EXTENSIONS = 0xa3
/** 2.5.29.17, with its tag and length. */
const SUBJECT_ALT_NAME = '\u0006\u0003\u0055\u001d\u0011'
const DNS_NAME = 0x82
const URI = 0x86

/** @param base64 - the certificate in DER; with the colons of RFC 9440 or without */
export function certificateNames(base64: string): CertificateNames {
  const names = elements(subjectAltName(decoded(base64))).flatMap((sequence) =>
    elements(sequence.content),
  )
  const first = (tag: number): string | undefined => {
    const found = names.find((name) => name.tag === tag)
    return found && bytesToByteString(found.content)
  }
  return { dns: first(DNS_NAME), uri: first(URI) }
}

function decoded(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64.replaceAll(':', '')), (char) => char.charCodeAt(0))
  } catch {
    return new Uint8Array(0)
  }
}

/** The value of the extension: a sequence of names. */
function subjectAltName(certificate: Uint8Array): Uint8Array {
  const [whole] = elements(certificate)
  const [signed] = elements(whole?.tag === SEQUENCE ? whole.content : undefined)
  const extensions = elements(signed?.content).find(({ tag }) => tag === EXTENSIONS)
  const [list] = elements(extensions?.content)
  const found = elements(list?.content).find(({ content }) =>
    bytesToByteString(content.subarray(0, SUBJECT_ALT_NAME.length)).startsWith(SUBJECT_ALT_NAME),
  )
  const value = elements(found?.content).find(({ tag }) => tag === OCTET_STRING)
  return value?.content ?? new Uint8Array(0)
}

/** The elements one after the other in `bytes`, up to the first that does not fit. */
function elements(bytes: Uint8Array | undefined): Element[] {
  const found: Element[] = []
  if (bytes === undefined) return found
  for (let at = 0; at + 2 <= bytes.length;) {
    const tag = bytes[at] as number
    let size = bytes[at + 1] as number
    at += 2
    if (size > 0x80) {
      const octets = size - 0x80
      if (octets > 3 || at + octets > bytes.length) return found
      size = 0
      for (let i = 0; i < octets; i++) size = size * 256 + (bytes[at++] as number)
    }
    if (at + size > bytes.length) return found
    found.push({ tag, content: bytes.subarray(at, at + size) })
    at += size
  }
  return found
}
