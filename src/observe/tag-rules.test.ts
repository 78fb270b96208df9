/** Names of guest metrics → names and labels, as Envoy and Istio do it. */
import { describe, expect, it } from 'vitest'
import { parseTagRules, tagName } from './tag-rules.ts'

function tagged(raw: string, rules: object[] = []): [string, Readonly<Record<string, string>>] {
  const parsed = parseTagRules(JSON.stringify(rules))
  expect(parsed.wrong).toEqual([])
  const { name, labels } = tagName(raw, parsed.rules)
  return [name, labels]
}

describe('names', () => {
  it.each([
    ['requests_total', 'requests_total'],
    ['my.plugin-requests total', 'my_plugin_requests_total'],
    ['wasmcustom.requests', 'wasmcustom_requests'],
    ['9lives', '_9lives'],
    ['', '_'],
    ['ünï', '_n_'],
    ['istio_requests_total', 'istio_requests_total'],
    ['envoy_cluster_upstream_rq_xx', 'wasmcustom_envoy_cluster_upstream_rq_xx'],
    ['postern.plugin.traps_total', 'wasmcustom_postern_plugin_traps_total'],
    ['postern_metric_overflow', 'postern_metric_overflow'],
  ])('%j is printed as %s', (raw, printed) => {
    expect(tagged(raw)).toEqual([printed, {}])
  })
})

describe('tag rules', () => {
  it('take the first group out of the name and the second for the value', () => {
    const rules = [{ tag_name: 'code', regex: '(_code_(\\d+)_)' }]
    expect(tagged('answers_code_404_total', rules)).toEqual(['answerstotal', { code: '404' }])
  })

  it('take the only group for both', () => {
    const rules = [{ tag_name: 'method', regex: '\\.(GET|POST)' }]
    expect(tagged('seen.GET', rules)).toEqual(['seen_', { method: 'GET' }])
  })

  it('all look at the whole name, prefix included, and the first of a label counts', () => {
    const rules = [
      { tag_name: 'envoy.plugin', regex: '^wasmcustom\\.((.+?)\\.)' },
      { tag_name: 'code', regex: '(\\.code\\.(\\d+))' },
      { tag_name: 'code', regex: '(\\.(\\d)\\d\\d)' },
    ]
    expect(tagged('waf.blocked.code.403', rules)).toEqual([
      'blocked',
      { envoy_plugin: 'waf', code: '403' },
    ])
  })

  it("without a regex read the C++ SDK's default form", () => {
    const rules = [{ tag_name: 'method' }, { tag_name: 'status' }]
    expect(tagged('method.GET.status.200.requests', rules)).toEqual([
      'requests',
      { method: 'GET', status: '200' },
    ])
  })

  it("are not needed for Istio's separators", () => {
    expect(tagged('reporter=.=source;.;response_code=.=200;.;istio_requests_total')).toEqual([
      'istio_requests_total',
      { reporter: 'source', response_code: '200' },
    ])
    expect(tagged('istiocustom.istio_requests_total.reporter=.=a.b;.;code=.=;.;')).toEqual([
      'istiocustom_istio_requests_total',
      { reporter: 'a.b', code: '' },
    ])
  })

  it('keep whatever a client put into a value', () => {
    expect(tagged('path=.=/a"b\\c\n;.;seen')).toEqual(['seen', { path: '/a"b\\c\n' }])
  })

  it.each([
    ['{', 'it is not JSON'],
    ['{}', 'it is not a list'],
    ['[1]', 'entry 0: expected tag_name and regex'],
    ['[{"regex":"(a)"}]', 'entry 0: expected tag_name'],
    ['[{"tag_name":"a","regex":1}]', 'entry 0: expected regex to be a string'],
    ['[{"tag_name":"a","regex":"("}]', 'entry 0: ( is no regular expression'],
  ])('%s is refused', (text, why) => {
    expect(parseTagRules(text)).toEqual({ rules: [], wrong: [why] })
  })
})
