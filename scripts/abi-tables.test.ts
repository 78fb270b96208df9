/** Tables in documents: what is replaced, what is left alone, what is refused. */
import { describe, expect, it } from 'vitest'
import { withTables } from './abi-tables.ts'

const marked = (name: string, content: string = ''): string =>
  `before\n<!-- generated:${name} -->${content}<!-- /generated -->\nafter\n`

describe('withTables', () => {
  it('writes a row per host function, with its versions and support', () => {
    const text = withTables(marked('host-functions'))
    expect(text).toMatch(
      /\| \[`proxy_get_log_level`\]\(\S+v0\.2\.1#proxy_get_log_level\) \| – \| – \| ✓ \| yes \|/,
    )
    expect(text).toMatch(/`proxy_clear_route_cache`\]\(\S+v0\.1\.0#\S+\) \| ✓ \| – \| – \|/)
    expect(text).toMatch(/`proxy_grpc_call`\]\(\S+\) \| ✓ \| ✓ \| ✓ \| yes \|/)
    expect(text).toMatch(/`envoy_resolve_dns`\]\(\S+\) \| ext \| ext \| ext \| answers only \|/)
    expect(text.startsWith('before\n<!-- generated:host-functions -->\n\n| Host')).toBe(true)
    expect(text.endsWith('|\n\n<!-- /generated -->\nafter\n')).toBe(true)
  })

  it('writes callbacks and WASI functions', () => {
    expect(withTables(marked('callbacks'))).toContain('`proxy_on_request_headers`')
    expect(withTables(marked('wasi'))).toContain('`fd_write`')
  })

  it('replaces what was there, and comes to the same the second time', () => {
    const once = withTables(marked('wasi', '\nold\n'))
    expect(once).not.toContain('old')
    expect(withTables(once)).toBe(once)
  })

  it('fills several markers of a document and leaves the rest as it is', () => {
    const text = withTables(marked('wasi') + marked('callbacks'))
    expect(text.match(/before/g)).toHaveLength(2)
    expect(text.match(/\| --- \|/g)?.length).toBeGreaterThan(1)
  })

  it('leaves a document without markers alone', () => {
    expect(withTables('# Title\n<!-- note -->\n')).toBe('# Title\n<!-- note -->\n')
  })

  it.each([
    ['a name that is no table', marked('nothing')],
    ['a marker without an end', '<!-- generated:wasi -->\n'],
    ['a marker inside another', `<!-- generated:wasi -->\n${marked('callbacks')}`],
  ])('refuses %s', (_, text) => {
    expect(() => withTables(text)).toThrow()
  })
})
