/** What holds for every command: help, usage errors, exit codes. */
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.ts'

const { postern } = await commandLine({})
const { stdout: overview } = await postern('--help')
const commands = [...overview.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name = '']) => name)

describe('every command', () => {
  it('is in the overview', () => {
    expect(commands).toEqual(expect.arrayContaining(['apply', 'diff', 'history', 'keys']))
    expect(commands).toEqual(expect.arrayContaining(['rollback', 'status', 'validate']))
    expect(commands.toSorted()).toEqual(commands)
  })

  it.each(commands)('%s has help that names its options and exit codes', async (name) => {
    const { exitCode, stdout, stderr } = await postern(name, '--help')
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`postern ${name}`)
    expect(stdout).toMatch(/^ {2}--json/m)
    expect(stdout).toMatch(/^Exit codes: 0 [^;]+[;,] 1 [^;]+[;,] 2 called wrongly/m)
    expect(stdout.split('\n').filter((line) => line.length > 108)).toEqual([])
  })

  it.each(commands)('%s says what is wrong with an option it does not know', async (name) => {
    const { exitCode, stdout, stderr } = await postern(name, '--no-such-option')
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain('--no-such-option')
    expect(stderr).toContain('[cli.usage]\nRun the command with --help.')
  })

  it.each(commands)('%s prints a usage error as JSON with --json', async (name) => {
    const { exitCode, stdout } = await postern(name, '--no-such-option', '--json')
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'cli.usage' } })
  })
})

it('names a command that does not exist', async () => {
  const { exitCode, stderr } = await postern('aply')
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('There is no command "aply"')])
})
