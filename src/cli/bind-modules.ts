/**
 * Pins the plugins of the files to modules that the gateway has.
 * @throws CommandError with every plugin whose module it does not have
 */
import { join } from 'node:path'
import type { PlacedResource } from '../config/documents.ts'
import type { Resource } from '../config/resources/kinds.ts'
import type { CliIo } from './cli-io.ts'
import type { GatewayClient } from './gateway-client.ts'
import { localCatalog } from './local-catalog.ts'
import { refusedBy } from './policy-files.ts'
import { resolveModules } from './resolve-modules.ts'

export async function bindModules(
  placed: readonly PlacedResource[],
  gateway: GatewayClient,
  io: CliIo,
): Promise<readonly Resource[]> {
  const { modules } = await gateway.status()
  const local = await localCatalog(join(io.cwd, 'plugins'))
  const resolved = await resolveModules(placed, local, modules, io.cwd)
  if (resolved.problems.length > 0) throw refusedBy(resolved.problems, 'Nothing was written')
  return resolved.resources
}
