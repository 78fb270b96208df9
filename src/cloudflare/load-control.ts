/** The way from the first module of the Worker to the second: see `control.ts`. */

import type * as control from '../control.ts'

/** What the second module exports. */
export type Control = typeof control

/** Where it is deployed: beside the first, under the name that `scripts/build-control.ts` gives it. */
const CONTROL = { file: './control.js' } as const

/**
 * Loads the second module; whoever asks again gets what is loaded.
 * @throws when it was not deployed with the first
 */
export async function loadControl(): Promise<Control> {
  try {
    // not a literal: a bundler would take it into the first module
    return (await import(CONTROL.file)) as Control
  } catch (cause) {
    const why = `${CONTROL.file} cannot be loaded; deploy again with the wrangler.toml of this version`
    throw new Error(why, { cause })
  }
}
