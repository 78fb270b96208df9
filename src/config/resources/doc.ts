/**
 * Text that docs/CONFIG.md and the JSON Schemas show and nothing that runs reads. It stands beside the
 * field it is about; a deploy (`define` in wrangler.toml) leaves it out, which a bundler can because
 * what is left of this function then does nothing.
 */
declare const POSTERN_DOCS: boolean | undefined

/** @returns the text; undefined where it was left out */
export function doc(text: string): string | undefined {
  return typeof POSTERN_DOCS === 'undefined' || POSTERN_DOCS ? text : undefined
}
