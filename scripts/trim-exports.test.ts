import { describe, expect, it } from 'vitest'
import { trimExports } from './trim-exports.ts'

/** A module with one function, exported under each of the names. */
function moduleWith(names: string[]): Uint8Array {
  const entries = names.flatMap((name) => [name.length, ...Buffer.from(name), 0, 0])
  const exports = [names.length, ...entries]
  const size = [(exports.length & 0x7f) | 0x80, exports.length >> 7]
  const sections = [
    [1, 4, 1, 0x60, 0, 0],
    [3, 2, 1, 0],
    [7, ...size, ...exports],
    [10, 4, 1, 2, 0, 0x0b],
  ]
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()])
}

function exportsOf(module: Uint8Array): string[] {
  return WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(module))).map(
    ({ name }) => name,
  )
}

describe('trimExports', () => {
  const module = moduleWith([
    'proxy_abi_version_0_2_1',
    'proxy_on_context_create',
    'proxy_on_request_headers',
    'proxy_on_request_body',
    'proxy_on_done',
    'malloc',
  ])

  it('keeps the lifecycle, the listed callbacks and everything that is no callback', () => {
    expect(exportsOf(trimExports(module, ['proxy_on_request_headers']))).toEqual([
      'proxy_abi_version_0_2_1',
      'proxy_on_context_create',
      'proxy_on_request_headers',
      'malloc',
    ])
  })

  it('refuses a list that names what the module does not export', () => {
    expect(() => trimExports(module, ['proxy_on_tick'])).toThrow(
      'the module does not export proxy_on_tick',
    )
  })
})
