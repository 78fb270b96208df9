/** Which plugins of a chain a request of a port runs through. */
import { describe, expect, it } from 'vitest'
import type { SnapshotPlugin } from '../config/snapshot.ts'
import type { Plugin } from '../proxy-wasm/index.ts'
import { ChainPorts } from './chain-ports.ts'

const handle = (name: string): Plugin => ({ name }) as unknown as Plugin
const config = (id: string, ports?: readonly number[]): SnapshotPlugin =>
  ({ id, ...(ports && { ports }) }) as unknown as SnapshotPlugin

const [all, web, admin] = [handle('all'), handle('web'), handle('admin')]
const plugins = new Map([
  ['all', all],
  ['web', web],
  ['admin', admin],
])
const chain = [web, all, admin]

describe('a chain by port', () => {
  const ports = ChainPorts.of(
    [config('all'), config('web', [80, 443]), config('admin', [8443])],
    plugins,
  )

  it.each([
    [80, [web, all]],
    [443, [web, all]],
    [8443, [all, admin]],
    [8080, [all]],
  ])('of %d', (port, expected) => {
    expect(ports?.select(chain, port)).toEqual(expected)
  })

  it('is the same list for the same port, so that a request makes none', () => {
    expect(ports?.select(chain, 80)).toBe(ports?.select(chain, 80))
    // ports that nobody names are one
    expect(ports?.select(chain, 1)).toBe(ports?.select(chain, 2))
  })

  it('is not looked at where no plugin asks for ports', () => {
    expect(ChainPorts.of([config('all')], plugins)).toBeUndefined()
    // one that is not here asks for nothing
    expect(ChainPorts.of([config('elsewhere', [80])], plugins)).toBeUndefined()
  })
})
