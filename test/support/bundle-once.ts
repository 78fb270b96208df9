/** Global setup of the gateway tests: one bundle for all files, removed when they have run. */
import { rmSync } from 'node:fs'
import { BUNDLE_VARIABLE, bundleWorker } from './worker-bundle.ts'

export default async function bundleOnce(): Promise<() => void> {
  const folder = await bundleWorker()
  process.env[BUNDLE_VARIABLE] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
