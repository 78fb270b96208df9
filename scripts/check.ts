/**
 * `npm run check`: everything that can be said about the tree without running it. Every step runs,
 * so that one go shows all that is wrong.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..')

/** What is checked, and the command that does it. */
const STEPS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types: command line, scripts, tests (Node)', 'tsc', '-p', 'tsconfig.json'],
  ['types: what is deployed (Workers)', 'tsc', '-p', 'tsconfig.worker.json'],
  ['types: the machine (Web APIs alone)', 'tsc', '-p', 'tsconfig.machine.json'],
  ['lint', 'oxlint', '--deny-warnings'],
  ['format', 'oxfmt', '--check'],
  ['import walls, sizes, names', 'vitest', 'run', '--project', 'node', 'test/architecture.test.ts'],
  ['generated: plugins/registry.ts', 'node', 'scripts/build-registry.ts', '--check'],
  ['generated: tables in the docs', 'node', 'scripts/build-docs.ts', '--check'],
  ['generated: docs/CONFIG.md', 'node', 'scripts/build-config-docs.ts', '--check'],
  ['generated: schemas/', 'node', 'scripts/build-schemas.ts', '--check'],
  ['plugins: binaries as new as their sources', 'node', 'scripts/check-plugins.ts'],
  ['deploy: dry run and size', 'node', 'scripts/check-size.ts'],
]

function passes(name: string, command: string, args: readonly string[]): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: repository,
    encoding: 'utf8',
    // npm scripts find the pinned tools by PATH; a bare `node scripts/check.ts` should too
    env: {
      ...process.env,
      PATH: `${join(repository, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
    },
  })
  const ok = status === 0
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  if (!ok) console.log(`${stdout}${stderr}`.trim())
  return ok
}

const failed = STEPS.filter(([name, command, ...args]) => !passes(name, command, args))
if (failed.length > 0) {
  console.log(`\n${failed.length} of ${STEPS.length} checks failed`)
  process.exitCode = 1
}
