/** Who asks the admin API, once that is proven. */

/** `read` sees what runs; `write` changes it as well. */
export type Role = 'read' | 'write'

export interface Caller {
  readonly role: Role
  /** Who Cloudflare Access says it is: an e-mail address, or the client id of a service token. */
  readonly name?: string
}
