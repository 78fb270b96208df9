import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../src/config/error-codes.ts'
import { GATEWAY_ERRORS } from '../src/gateway/errors.ts'

const repository = join(import.meta.dirname, '..')
const source = join(repository, 'src')

/** Which rooms of `src` a room may import from, itself aside. Arrows go down the list of layers only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // the second module; `the second module` below says who may import it
  'control.ts': ['admin', 'config', 'rollout'],
  'worker.ts': ['app.ts', 'admin', 'cloudflare', 'gateway', 'config', 'observe', 'proxy-wasm'],
  'app.ts': ['admin', 'gateway'],
  'hono.ts': ['gateway', 'foreign', 'proxy-wasm'],
  admin: ['config', 'observe', 'rollout'],
  cloudflare: ['control.ts', 'admin', 'gateway', 'config', 'observe', 'proxy-wasm', 'rollout'],
  gateway: ['config', 'foreign', 'observe', 'proxy-wasm', 'rollout'],
  cli: ['simulate', 'testing', 'config', 'proxy-wasm'],
  // a gateway in one process, of which nothing is deployed
  simulate: ['config', 'foreign', 'gateway', 'observe', 'proxy-wasm', 'rollout'],
  testing: ['config', 'proxy-wasm'],
  config: ['proxy-wasm'],
  rollout: ['config', 'observe', 'proxy-wasm'],
  foreign: ['proxy-wasm'],
  observe: ['proxy-wasm'],
  'proxy-wasm': [],
}

/** Packages beside relative imports that a room may use. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  'control.ts': /^$/,
  'worker.ts': /^$/,
  'app.ts': /^hono$/,
  'hono.ts': /^hono$/,
  admin: /^(hono|jose|valibot)(\/|$)/,
  cloudflare: /^cloudflare:/,
  foreign: /^@bufbuild\/(cel|protobuf)(\/wkt|\/reflect)?$/,
  gateway: /^$/,
  cli: /^(node:|yaml$|valibot$)/,
  simulate: /^$/,
  testing: /^(re2js|yaml)$/,
  config: /^(valibot|yaml)$/,
  rollout: /^$/,
  observe: /^$/,
  'proxy-wasm': /^$/,
}

interface SourceFile {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
}

function filesUnder(folder: string, pattern: RegExp): SourceFile[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path) && !/(^|\/)(node_modules|target|dist)\//.test(path))
    .map((path) => ({
      path: join(folder, path),
      text: readFileSync(join(repository, folder, path), 'utf8'),
    }))
}

function importsOf({ text }: SourceFile): string[] {
  const statement =
    /^\s*(?:import|export)\b[^'"]*?\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm
  return [...text.matchAll(statement)].flatMap((match) => match[1] ?? match[2] ?? [])
}

/** What is loaded with a file: all that it and what it imports import, types aside. */
function loadedWith(path: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  const file = sources.find((one) => one.path === path)
  if (file === undefined) return found
  // TypeScript keeps types in statements of their own; a list may hold some beside values
  const text = file.text.replaceAll(/^(?:import|export) type\b.*?\bfrom\s/gms, 'types ')
  for (const specifier of importsOf({ path, text })) {
    const relativeTo = specifier.startsWith('.')
      ? resolve(repository, dirname(path), specifier)
      : ''
    loadedWith(relativeTo === '' ? specifier : relative(repository, relativeTo), found)
  }
  return found
}

/** The room of `src` that a path is in: its first folder, or the file itself. */
function roomOf(path: string): string {
  return relative('src', path).split('/')[0] ?? ''
}

const sources = filesUnder('src', /\.tsx?$/).filter(
  ({ path }) => !/\.test\.tsx?$|^src\/.+\/testing\//.test(path),
)

describe('the walls', () => {
  it.each(sources.map((file) => [file.path, file] as const))(
    '%s imports only what its room may',
    (path, file) => {
      const room = roomOf(path)
      const wrong = importsOf(file).filter((specifier) => {
        if (!specifier.startsWith('.')) return !PACKAGES[room]?.test(specifier)
        const target = resolve(repository, dirname(path), specifier)
        if (relative(source, target).startsWith('..')) {
          // the files outside of src that the Worker is made of
          const bundled = ['plugins/registry.ts', 'plugins/baseline.ts']
          return path !== 'src/worker.ts' || !bundled.includes(relative(repository, target))
        }
        const there = roomOf(relative(repository, target))
        return there !== room && !MAY_IMPORT[room]?.includes(there)
      })
      expect(wrong).toEqual([])
    },
  )

  it('keeps yaml out of what is deployed', () => {
    const users = sources.filter((file) => importsOf(file).includes('yaml')).map(({ path }) => path)
    expect(
      users.filter((path) => !/^src\/(cli\/|testing\/|config\/document(s|-nodes))/.test(path)),
    ).toEqual([])
  })
})

describe('the second module', () => {
  /** What every isolate would pay for, and only changes of the configuration or Access need. */
  const CONTROL =
    /^src\/(control\.ts$|config\/(compile|resources)\b|config\/refusal-codes\.ts$|config\/apply\/(?!apply-request\.ts$)|admin\/(access-(token|keys)|report-request|preview-page)\.ts$)|^jose\b/

  it('is not loaded with the first', () => {
    expect([...loadedWith('src/worker.ts')].filter((path) => CONTROL.test(path))).toEqual([])
  })

  it('is what the first does not have', () => {
    const loaded = loadedWith('src/control.ts')
    expect([...loaded]).toEqual(
      expect.arrayContaining([
        'src/admin/access-token.ts',
        'src/admin/report-request.ts',
        'src/config/apply/policy-writer.ts',
        'src/config/compile.ts',
        'src/config/resources/http-route.ts',
        'jose/jws/compact/verify',
      ]),
    )
    // what runs requests has state of its own: there must not be two of it
    expect([...loaded].filter((path) => /^src\/(gateway|cloudflare)\b/.test(path))).toEqual([])
  })

  it('is imported where it is loaded alone, and as a type', () => {
    const users = sources.filter((file) =>
      importsOf(file).some((specifier) => /(^|\/)control\.ts$/.test(specifier)),
    )
    expect(users.map(({ path }) => path)).toEqual(['src/cloudflare/load-control.ts'])
    expect(users[0]?.text).toContain("import type * as control from '../control.ts'")
  })
})

describe('files', () => {
  const written = [
    ...filesUnder('src', /\.tsx?$/),
    ...filesUnder('scripts', /\.ts$/),
    ...filesUnder('bench', /\.ts$/),
    ...filesUnder('test', /\.ts$/),
  ]

  it('have 400 lines at the most, and a median of 120 in src', () => {
    const lines = (file: SourceFile): number => file.text.split('\n').length - 1
    expect(written.filter((file) => lines(file) > 400).map(({ path }) => path)).toEqual([])
    const sizes = sources.map(lines).sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(120)
  })

  it('are named in kebab-case, for what they hold', () => {
    const bad = /(^|\/)(utils?|common|helpers?|shared|misc|types)(\.ts|\/)/
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d|\.config)?\.tsx?$/
    // those are named after host functions
    const wrong = written.filter(
      ({ path }) =>
        !path.startsWith('test/abi/') &&
        (bad.test(path) || !kebab.test(path.split('/').at(-1) ?? '')),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('say in their first lines what they are', () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text))
    expect(silent.map(({ path }) => path)).toEqual([])
  })
})

describe('errors', () => {
  it('each have an entry in docs/OPERATIONS.md', () => {
    const operations = readFileSync(join(repository, 'docs/OPERATIONS.md'), 'utf8')
    const codes = [...Object.keys(ERROR_CODES), ...Object.keys(GATEWAY_ERRORS), ...machineCodes()]
    expect(codes.filter((code) => !operations.includes(`### \`${code}\``))).toEqual([])
  })

  /** The machine's codes are string literals of its error types. */
  function machineCodes(): string[] {
    const text = readFileSync(join(source, 'proxy-wasm/errors.ts'), 'utf8')
    return [...text.matchAll(/'((?:module|plugin)\.[a-z_]+)'/g)].flatMap((match) => match[1] ?? [])
  }
})

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }

  it('are pinned exactly', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies }
    const loose = Object.entries(versions).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    )
    expect(loose).toEqual([])
  })

  it('bring one workerd', () => {
    const lock = readFileSync(join(repository, 'package-lock.json'), 'utf8')
    expect(lock.match(/"node_modules\/(.*\/)?workerd"/g)).toHaveLength(1)
  })
})
