/** `postern rollout` and its subcommands as they are called; what they do is tried in test/gateway. */
import { describe, expect, it } from 'vitest'
import { type CommandResult, commandLine } from '../support/command-line.ts'

async function postern(...args: string[]): Promise<CommandResult> {
  return (await commandLine({})).postern('rollout', ...args)
}

describe('postern rollout', () => {
  it('lists its subcommands, each of which has help of its own', async () => {
    const { stdout, exitCode } = await postern('--help')
    expect(exitCode).toBe(0)
    const names = [...stdout.matchAll(/^ {2}([a-z]+) .*[a-z]$/gm)].map(([, name = '']) => name)
    expect(names).toEqual(expect.arrayContaining(['start', 'status', 'history', 'kill', 'unkill']))
    for (const name of names) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const own = await postern(name, '--help')
      expect(own).toMatchObject({ exitCode: 0, stderr: '' })
      expect(own.stdout).toMatch(new RegExp(`^postern rollout ${name} `))
      expect(own.stdout).toMatch(/Exit codes: 0 done/)
    }
  })

  it('says what it is called wrongly with', async () => {
    expect(await postern()).toMatchObject({ exitCode: 2 })
    const jumping = await postern('jump', 'next')
    expect(jumping).toMatchObject({ exitCode: 2 })
    expect(jumping.stderr).toMatch(/no postern rollout jump; there are start, /)
    const nameless = await postern('pause')
    expect(nameless).toMatchObject({ exitCode: 2 })
    expect(nameless.stderr).toMatch(/Name it: postern rollout pause NAME/)
    expect(await postern('start', 'a', 'b')).toMatchObject({ exitCode: 2 })
    expect(await postern('status', '--jump')).toMatchObject({ exitCode: 2 })
    const label = await postern('kill', 'mark', '--selector', 'ring')
    expect(label).toMatchObject({ exitCode: 2 })
    expect(label.stderr).toMatch(/ring is no label such as ring=1/)
  })
})
