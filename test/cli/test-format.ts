/**
 * One suite that uses every field of the test format, as text proto and as YAML, for the probe: what it
 * does is said in `PROBE_CONFIG`. Both must come out the same.
 */
import { script } from '../support/machine.ts'

const edit = (name: string): object => ({ call: 'set_header', name, value: 'set' })

/** The probe: edits headers in each phase, upper-cases nothing, logs, reads a property, may answer. */
export const PROBE_CONFIG: string = script({
  configure: [{ call: 'log', level: 2, message: 'configured' }],
  create: [{ call: 'log', level: 1, message: 'stream begins', if: { root: false } }],
  request_headers: [
    edit('x-probe'),
    { call: 'remove_header', name: 'x-gone' },
    { call: 'get_property', path: ['source', 'address'], save: 'address' },
    { call: 'set_header', name: 'x-address', value: { saved: 'address' } },
    {
      call: 'local_reply',
      status: 418,
      details: 'no tea',
      body: 'short and stout',
      headers: [['x-reply', 'yes']],
      grpc_status: 7,
      if: { path: '/teapot' },
    },
  ],
  request_body: [
    { call: 'return', action: 1, if: { end_of_stream: false } },
    { call: 'set_body', start: 0, size: 0, value: '> ', if: { end_of_stream: true } },
  ],
  response_headers: [edit('x-probe')],
  response_body: [{ call: 'set_body', start: 0, size: 0, value: '-' }],
  log: [{ call: 'log', level: 4, message: 'stream ends' }],
})

export const TEXT_PROTO: string = String.raw`
# every field of the format
env {
  test_path: "ignored.textpb"
  wasm_path: "probe.wasm"
  config_path: "config.json"
  log_level: DEBUG
  log_path: "plugin.log"
  time_secs: 1700000000
  num_additional_streams: 2
  additional_stream_advance_rate: 1
}
test {
  name: "all phases"
  benchmark: true
  properties { path: "source.address" value: "192.0.2.\x37" }
  plugin_init { log { exact: "configured" } }
  stream_init { log { exact: "stream begins" } }
  request_headers {
    input {
      header { key: ":path" value: "/" }
      header: { key: "X-Gone" value: "1" };
      header < key: "x-kept" value: 'a' "b" >,
    }
    result {
      has_header { key: "X-Probe" value: "set" }
      has_header [{ key: "x-kept" value: "ab" }, { key: "x-address" value: "192.0.2.7" }]
      no_header { key: "x-gone" }
      headers { regex: "x-k.*: ab" }
      headers { invert: true exact: "x-gone: 1" }
    }
  }
  request_body {
    input { content: "one " }
    result { body { exact: "" } }
  }
  request_body {
    input { file: "body.txt" }
    result { body { exact: "> one two" } }
  }
  response_headers {
    input { content: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" }
    result { has_header { key: ":status" value: "200" } }
  }
  response_body {
    input { content: "three" }
    result {
      body { regex: "-thre+" }
      body { file: "expected.txt" }
      body { invert: true exact: "three" }
    }
  }
  stream_destroy { log { regex: "stream e.*" } }
}
test {
  name: "an answer"
  request_headers {
    input { content: "GET /teapot HTTP/1.1\r\n" }
    result {
      immediate { http_status: 418 grpc_status: 7 details: "no tea" }
      has_header { key: "x-reply" value: "yes" }
      body { exact: "short and stout" }
    }
  }
}
test {
  name: "three pieces"
  num_chunks: 3
  response_headers { input { file: "response.http" } }
  response_body {
    input { content: "abcdef" }
    result { body { exact: "-ab-cd-ef" } }
  }
}
test {
  name: "pieces of four bytes"
  chunk_size: 4
  response_headers { input { file: "response.http" } }
  response_body {
    input { content: "abcdef" }
    result { body { exact: "-abcd-ef" } }
  }
}
`

export const YAML: string = String.raw`
# every field of the format
env:
  test_path: ignored.yaml
  wasm_path: probe.wasm
  config_path: config.json
  log_level: DEBUG
  log_path: plugin.log
  time_secs: 1700000000
  num_additional_streams: 2
  additional_stream_advance_rate: 1
tests:
  - name: all phases
    benchmark: true
    properties:
      - { path: source.address, value: "192.0.2.7" }
    plugin_init: { log: [{ exact: configured }] }
    stream_init: { log: { exact: stream begins } }
    request_headers:
      input:
        header:
          - { key: ':path', value: / }
          - { key: X-Gone, value: 1 }
          - { key: x-kept, value: ab }
      result:
        has_header:
          - { key: X-Probe, value: set }
          - { key: x-kept, value: ab }
          - { key: x-address, value: 192.0.2.7 }
        no_header: [{ key: x-gone }]
        headers:
          - regex: 'x-k.*: ab'
          - { exact: 'x-gone: 1', invert: true }
    request_body:
      - input: { content: 'one ' }
        result: { body: { exact: '' } }
      - input: { file: body.txt }
        result: { body: { exact: '> one two' } }
    response_headers:
      input: { content: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" }
      result: { has_header: { key: ':status', value: 200 } }
    response_body:
      input: { content: three }
      result:
        body:
          - { regex: -thre+ }
          - { file: expected.txt }
          - { exact: three, invert: true }
    stream_destroy: { log: { regex: stream e.* } }
  - name: an answer
    request_headers:
      input: { content: "GET /teapot HTTP/1.1\r\n" }
      result:
        immediate: { http_status: 418, grpc_status: 7, details: no tea }
        has_header: { key: x-reply, value: 'yes' }
        body: { exact: short and stout }
  - name: three pieces
    body_chunking_plan: { num_chunks: 3 }
    response_headers: { input: { file: response.http } }
    response_body:
      input: { content: abcdef }
      result: { body: { exact: -ab-cd-ef } }
  - name: pieces of four bytes
    chunk_size: 4
    response_headers: { input: { file: response.http } }
    response_body:
      input: { content: abcdef }
      result: { body: { exact: -abcd-ef } }
`

/** Files that the suite names. */
export const FILES: Readonly<Record<string, string>> = {
  'config.json': PROBE_CONFIG,
  'body.txt': 'two',
  'expected.txt': '-three',
  'response.http': 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n',
  'tests.textpb': TEXT_PROTO,
  'tests.yaml': YAML,
}
