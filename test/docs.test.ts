/** What the documents name is there: links, headings, files, npm scripts and commands. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileSteps } from '../src/config/compile/rollout-steps.ts'
import { type ReadResources, readDocuments } from '../src/config/documents.ts'
import { commandLine } from './support/command-line.ts'

const root = join(import.meta.dirname, '..')
const FENCE = /^```(.*)\n([\s\S]*?)^```/gm
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root })
  .toString()
  .trim()
  .split('\n')
const documents = files.filter((path) => path.endsWith('.md'))
/** Files that docs/AUTHORING.md has its reader make. */
const READERS_OWN = new Set(['src/lib.rs', 'plugins/store/1.0.0.wasm', 'assembly/index.ts'])

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** A document without its code blocks. */
const prose = (path: string): string => read(path).replaceAll(FENCE, '')

/** What GitHub makes of a heading: a second one of the same text has a number. */
function anchors(path: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const headings = [...prose(path).matchAll(/^#+ (.*)$/gm)]
  const slugs = headings.map(([, heading = '']) => {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = text.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${before}`
  })
  return new Set(slugs)
}

function brokenLinks(path: string): readonly string[] {
  const targets = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    const to = file === '' ? path : normalize(join(dirname(path), file))
    if (!existsSync(join(root, to))) return true
    return anchor !== undefined && !anchors(to).has(anchor)
  })
}

/** Commands in blocks of `sh`, and in backticks: what npm, node and postern are asked for. */
function commands(path: string): readonly string[] {
  const blocks = [...read(path).matchAll(FENCE)].filter(([, info = '']) => info.startsWith('sh'))
  const inline = [...prose(path).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  return [...blocks.flatMap(([, , text = '']) => text.split('\n')), ...inline]
}

/** What blocks of YAML come to: resources, and the metrics of a rollout's analysis by themselves. */
function resourcesOf(path: string): readonly ReadResources[] {
  const blocks = [...read(path).matchAll(FENCE)].filter(([, info = '']) => info.startsWith('yaml'))
  return blocks.flatMap(([, , text = '']) => {
    const isPart = text.startsWith('metrics:')
    if (!isPart && !/^apiVersion:/m.test(text)) return []
    const indented = text.replaceAll(/^/gm, '    ')
    return readDocuments([
      { name: path, text: isPart ? `${WITHOUT_METRICS}  analysis:\n${indented}` : text },
    ])
  })
}

const WITHOUT_METRICS = `apiVersion: postern.dev/v1alpha1
kind: PluginRollout
metadata: { name: next }
spec:
  targetRef: { group: extensions.istio.io, kind: WasmPlugin, name: p }
  candidate: { url: oci://r.test/p:2 }
  steps: [{ weight: 1, pause: 1m }]
`

it('of rollouts have examples', () => {
  expect(resourcesOf('docs/ROLLOUT.md').length).toBeGreaterThan(2)
})

describe.each(documents)('%s', (path) => {
  it('has resources as they may be written', () => {
    for (const { resources, problems } of resourcesOf(path)) {
      const wrong = problems.map(
        ({ code, path: at, message }) => `${code} ${at.join('.')}: ${message}`,
      )
      for (const { resource } of resources) {
        if (resource.kind !== 'PluginRollout') continue
        compileSteps(resource.spec, (at, message) => wrong.push(`${at.join('.')}: ${message}`))
      }
      expect(wrong).toEqual([])
    }
  })

  it('links to files and headings that are there', () => {
    expect(brokenLinks(path)).toEqual([])
  })

  it('names scripts of package.json, and commands of postern with options that they have', async () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const { postern } = await commandLine({})
    const wrong: string[] = []
    for (const line of commands(path)) {
      const script = /\bnpm run (?:--?\S+ )*([\w:-]+)/.exec(line)?.[1]
      if (script !== undefined && !Object.hasOwn(scripts, script)) wrong.push(line)
      // a rollout's subcommands have help of their own
      const [, name, rest = ''] = /^(?:.* )?postern ((?:rollout )?[a-z]+)\b([^#]*)/.exec(line) ?? []
      if (name === undefined) continue
      const { exitCode, stdout } = await postern(...name.split(' '), '--help')
      const options = rest.match(/(?<=\s)--[a-z-]+/g) ?? []
      const unknown = options.some((option) => !new RegExp(`${option}\\b`).test(stdout))
      if (exitCode !== 0 || unknown) wrong.push(line)
    }
    expect(wrong).toEqual([])
  })

  it('names files of the repository that are there', () => {
    const whole = /^(?:src|test|docs|examples|plugins|scripts|bench|schemas)\/[\w./-]+$/
    const words = commands(path).flatMap((line) => line.split(/[\s,]+/))
    const missing = words.filter((word) => {
      if (READERS_OWN.has(word)) return false
      if (whole.test(word)) {
        return ![word, join(dirname(path), word)].some((file) => existsSync(join(root, file)))
      }
      // a file beside the one named before it
      return /^[\w./-]+\.ts$/.test(word) && !word.startsWith('.')
        ? !files.some((file) => basename(file) === basename(word) && file.endsWith(word))
        : false
    })
    expect(missing).toEqual([])
  })
})
