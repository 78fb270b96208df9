/** KV on a folder, written by hand: what an operator could do with `wrangler kv key put`, or a sync agent. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPluginModules } from '../../src/cli/plugin-modules.ts'
import type { ActivePointer } from '../../src/config/active-pointer.ts'
import { mergeResources } from '../../src/config/apply/merge-resources.ts'
import { compile, type NamedSnapshot, nameSnapshot } from '../../src/config/compile.ts'
import type { CatalogModule } from '../../src/config/compile/module-catalog.ts'
import type { Snapshot } from '../../src/config/snapshot.ts'

const repository = join(import.meta.dirname, '../..')

export interface KvFiles {
  put(key: string, value: string): void
  read(key: string): string
  remove(key: string): void
  /** Compiles resources as `apply` would, without trying plugins. */
  compile(documents: readonly object[], previous?: Snapshot): Promise<NamedSnapshot>
  /** Writes a snapshot. */
  putSnapshot(named: NamedSnapshot): void
  /** Moves the pointer. */
  point(revision: number, snapshot: string, more?: Partial<ActivePointer>): void
}

/** @param folder - of the KV, one file for each key */
export function kvFiles(folder: string): KvFiles {
  mkdirSync(folder, { recursive: true })
  const put = (key: string, value: string): void => {
    // a reader must never see half of a value
    writeFileSync(join(folder, `.${key}.new`), value)
    renameSync(join(folder, `.${key}.new`), join(folder, key))
  }
  return {
    put,
    read: (key) => readFileSync(join(folder, key), 'utf8'),
    remove: (key) => rmSync(join(folder, key), { force: true }),
    async compile(documents, previous) {
      const { resources } = mergeResources(documents, [])
      if (resources === undefined) throw new Error('the resources are not valid')
      const compiled = compile({ resources, catalog: await catalog(), previous })
      if (compiled.snapshot === undefined) throw new Error(JSON.stringify(compiled.problems))
      return nameSnapshot(compiled.snapshot)
    },
    putSnapshot: ({ hash, text }) => put(`snapshot.${hash}`, text),
    point: (revision, snapshot, more) =>
      put(
        'active',
        JSON.stringify({
          revision,
          snapshot,
          previous: null,
          issuedAt: '2026-11-01T00:00:00.000Z',
          ...more,
        }),
      ),
  }
}

async function catalog(): Promise<CatalogModule[]> {
  const plugins = [
    ...(await readPluginModules(join(repository, 'plugins'))),
    ...(await readPluginModules(join(repository, 'test/fixtures'), 'start-conventions')),
  ]
  return plugins.flatMap(({ name, versions }) =>
    versions.map(({ version, sha256, urls = [] }) => ({ name, version, sha256, urls })),
  )
}
