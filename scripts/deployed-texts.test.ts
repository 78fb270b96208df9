/** What is deployed has no texts that only docs show. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { parse } from 'smol-toml'
import { expect, it } from 'vitest'
import { KINDS } from '../src/config/resources/kinds.ts'
import { fieldsOf } from './config-tables.ts'

const root = join(import.meta.dirname, '..')

it('the texts of fields stay out of a deploy', async () => {
  const { define, minify } = parse(readFileSync(join(root, 'wrangler.toml'), 'utf8')) as {
    define: Record<string, string>
    minify: boolean
  }
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/config/resources/kinds.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    define,
    minify,
  })
  const [deployed] = outputFiles
  const texts = KINDS.flatMap(({ schema }) => fieldsOf(schema)).flatMap(
    ({ about }) => about.about ?? [],
  )
  expect(texts.length).toBeGreaterThan(100)
  // as they are in the source, up to what a printer may write otherwise
  const plain = texts
    .map((text) => /^[\w ,.:;-]{20,}/.exec(text)?.[0] ?? '')
    .filter((text) => text !== '')
  expect(plain.length).toBeGreaterThan(60)
  expect(plain.filter((text) => deployed?.text.includes(text))).toEqual([])
  // what a check says is there
  expect(deployed?.text).toContain('signatures of modules are not checked')
})
