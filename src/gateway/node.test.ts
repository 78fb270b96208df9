/** What of a snapshot a node decides: by its labels, and with its variables. */
import { describe, expect, it } from 'vitest'
import { compile } from '../config/compile.ts'
import type { WasmPlugin } from '../config/resources/wasm-plugin.ts'
import type { SnapshotPlugin } from '../config/snapshot.ts'
import { CATALOG, plugin } from '../config/testing/resources.ts'
import { environmentOf, type GatewayNode, isSelected, PLAIN_NODE } from './node.ts'

function compiled(spec: Partial<WasmPlugin['spec']>): SnapshotPlugin {
  const { snapshot } = compile({ resources: [plugin('p', spec)], catalog: CATALOG })
  const found = snapshot?.plugins['default.p']
  if (found === undefined) throw new Error('not compiled')
  return found
}

const store: GatewayNode = {
  labels: { store: '042', region: 'eu' },
  hostEnv: (name) => ({ TOKEN: 'secret', EMPTY: '' })[name],
}

describe('a node is selected', () => {
  it.each([
    [undefined, true],
    [{}, true],
    [{ matchLabels: { store: '042' } }, true],
    [{ matchLabels: { store: '042', region: 'eu' } }, true],
    [{ matchLabels: { store: '042', region: 'us' } }, false],
    [{ matchLabels: { city: 'Ulm' } }, false],
    [{ matchLabels: { toString: 'x' } }, false],
  ])('by %j: %s', (selector, expected) => {
    expect(isSelected(compiled(selector === undefined ? {} : { selector }), store)).toBe(expected)
  })

  it('by nothing when it has no labels', () => {
    expect(isSelected(compiled({ selector: { matchLabels: { a: 'b' } } }), PLAIN_NODE)).toBe(false)
    expect(isSelected(compiled({}), PLAIN_NODE)).toBe(true)
  })
})

describe('the environment of a plugin', () => {
  const env = [
    { name: 'TOKEN', valueFrom: 'HOST' },
    { name: 'INLINE', value: 'x' },
    { name: 'EMPTY', valueFrom: 'HOST' },
    { name: 'ABSENT', valueFrom: 'HOST' },
  ] as const

  it('has the values of the node, and nothing where it has none', () => {
    expect(environmentOf(compiled({ vmConfig: { env } }), store)).toEqual([
      ['EMPTY', ''],
      ['INLINE', 'x'],
      ['TOKEN', 'secret'],
    ])
    expect(environmentOf(compiled({ vmConfig: { env } }), PLAIN_NODE)).toEqual([['INLINE', 'x']])
  })
})
