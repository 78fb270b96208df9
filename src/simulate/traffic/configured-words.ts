/**
 * Words of a plugin's configurations that requests may be made of: what a plugin is told to look for is what
 * makes a difference. Values that could be secret are among them, and are only ever sent to the plugin.
 */
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import type { Snapshot } from '../../config/snapshot.ts'

export interface ConfiguredWords {
  /** Names that headers may have. */
  readonly headers: readonly string[]
  readonly paths: readonly string[]
  /** Everything else that a header can carry. */
  readonly values: readonly string[]
  /** As `text/html`. */
  readonly contentTypes: readonly string[]
}

const WORDS_MAX = 500
/** These say how a message is framed, or whose it is: a word in them makes another request of it. */
const NOT_SET = /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|cookie)$/

/** @returns the words of both versions, each once, in a fixed order */
export function configuredWords({ plugins }: Snapshot, rollout: SnapshotRollout): ConfiguredWords {
  const texts = [plugins[rollout.plugin]?.configuration ?? '', rollout.candidate.configuration]
  const words = [...new Set(texts.flatMap((text) => stringsOf(parsed(text))))].sort()
  const some = words.filter((word) => word.length > 0 && word.length <= 200).slice(0, WORDS_MAX)
  return {
    headers: some
      .map((word) => word.toLowerCase())
      .filter((word) => /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(word) && !NOT_SET.test(word)),
    paths: some.filter((word) => /^\/[\w\-./%~]*$/.test(word)),
    values: some.filter((word) => /^[\x21-\x7e]+$/.test(word)),
    contentTypes: some.filter((word) => /^[a-z]+\/[a-z0-9.+-]+$/.test(word)),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The names of members are words too. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'boolean') return [`${value}`]
  if (Array.isArray(value)) return value.flatMap(stringsOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name].concat(stringsOf(member)))
}
