/** What a scraper reads is what was counted, whatever names and values plugins give. */
import { describe, expect, it } from 'vitest'
import { labelText } from './labels.ts'
import { FAMILIES } from './families.ts'
import type { Sample } from './metric.ts'
import { prometheusText } from './prometheus.ts'
import { Registry } from './registry.ts'
import { parsePrometheus, valueOf } from './testing/prometheus-parser.ts'

const counter = (name: string, value: number, labels = ''): Sample => ({
  kind: 'counter',
  name,
  labels,
  value,
})

describe('the text format', () => {
  it('has HELP and TYPE before the series of each family', () => {
    const registry = new Registry()
    registry.counter(FAMILIES.requests, { envoy_response_code_class: '2' }).add(3)
    registry.gauge(FAMILIES.vmsActive).value = 2
    const text = prometheusText(registry.collect().samples(), ['a remark'])
    expect(text).toBe(`# a remark
# HELP envoy_http_downstream_rq_xx Requests by the class of their answer.
# TYPE envoy_http_downstream_rq_xx counter
envoy_http_downstream_rq_xx{envoy_response_code_class="2"} 3
# HELP envoy_wasm_envoy_wasm_runtime_v8_active Vms that run.
# TYPE envoy_wasm_envoy_wasm_runtime_v8_active gauge
envoy_wasm_envoy_wasm_runtime_v8_active 2
`)
  })

  it.each(['plain', 'a "quote"', 'back\\slash', 'line\nbreak', '\\n', 'ünï', '}', ',', '', '\\"'])(
    'keeps the label value %j',
    (value) => {
      const text = prometheusText([counter('x', 1, labelText({ v: value, a: 'b' }))])
      expect(valueOf(parsePrometheus(text), 'x', { v: value, a: 'b' })).toBe(1)
    },
  )

  it('adds up the buckets of a histogram and ends with +Inf', () => {
    const registry = new Registry()
    const histogram = registry.histogram(FAMILIES.duration)
    for (const ms of [0, 7, 7, 90, 9_999_999]) histogram.observe(ms)
    const families = parsePrometheus(prometheusText(registry.collect().samples()))
    const { name } = FAMILIES.duration
    expect(valueOf(families, `${name}_bucket`, { le: '10' })).toBe(3)
    expect(valueOf(families, `${name}_bucket`, { le: '100' })).toBe(4)
    expect(valueOf(families, `${name}_bucket`, { le: '+Inf' })).toBe(5)
    expect(valueOf(families, `${name}_sum`)).toBe(10_000_103)
  })

  it('gives kinds that share a name each a name of their own', () => {
    const gauge: Sample = { kind: 'gauge', name: 'x', labels: '', value: 2 }
    const histogram: Sample = {
      kind: 'histogram',
      name: 'y',
      labels: '',
      count: 0,
      sum: 0,
      buckets: [],
    }
    const text = prometheusText([gauge, counter('x', 1), histogram, counter('y_count', 1)])
    expect([...parsePrometheus(text).keys()]).toEqual(['x', 'x_gauge', 'y_count', 'y_histogram'])
  })

  it('is a single line end for nothing at all', () => {
    expect(prometheusText([])).toBe('\n')
  })
})

describe('the parser of these tests', () => {
  it.each([
    ['no end of line', 'x 1'],
    ['no TYPE', 'x 1\n'],
    ['a bad label', '# HELP x h\n# TYPE x counter\nx{a=b} 1\n'],
    ['an unescaped quote', '# HELP x h\n# TYPE x counter\nx{a="""} 1\n'],
    ['a series twice', '# HELP x h\n# TYPE x counter\nx 1\nx 2\n'],
    ['a family twice', '# HELP x h\n# TYPE x counter\nx 1\n# HELP x h\n# TYPE x gauge\n'],
    ['a histogram without +Inf', '# HELP x h\n# TYPE x histogram\nx_bucket{le="1"} 1\nx_count 1\n'],
    ['no value', '# HELP x h\n# TYPE x counter\nx\n'],
  ])('refuses %s', (_what, text) => {
    expect(() => parsePrometheus(text)).toThrow()
  })
})
