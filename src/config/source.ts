/**
 * Where configuration is read from, as a port: single-key reads, nothing else, so that KV, a folder
 * and a test can all stand behind it. `cloudflare/kv-config.ts` is the one over KV.
 */
export interface ConfigSource {
  /**
   * @param key a flat key: `active`, `snapshot.<sha256>`, `resources.<sha256>` or `revision.<n>`
   * @returns the value's text, or null when there is no such key
   * @throws whatever the store throws when it cannot be read; callers treat that as "store down"
   */
  get(key: string): Promise<string | null>
}
