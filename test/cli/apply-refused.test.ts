/** `postern apply` with bad input: file, line, what was expected, exit code 1, nothing written. */
import { describe, expect, it } from 'vitest'
import { plugin, policyFolder, sha } from '../support/policy-folder.ts'

describe('bad input writes nothing, says where and what was expected, and exits with 1', () => {
  const cases: readonly (readonly [string, Record<string, string>, readonly string[], string])[] = [
    [
      'a file that is not there',
      {},
      ['policy', 'nowhere.yaml'],
      'nowhere.yaml: error: there is no such file or folder [config.file_missing]',
    ],
    [
      'a folder without policy files',
      { 'empty/readme.txt': '' },
      ['empty'],
      'empty: error: a folder without .yaml, .yml and .json files [config.file_missing]',
    ],
    ['broken YAML', { 'p.yaml': 'kind: [a\nb: c\n' }, ['p.yaml'], 'p.yaml:2:1: error: '],
    [
      'an unknown field',
      { 'p.yaml': plugin('oci://r.test/header-policy:1.0.0', '  priorty: 1\n') },
      ['p.yaml'],
      'p.yaml:7:3: error: spec.priorty: there is no field "priorty"; did you mean "priority"? [config.unknown_field]',
    ],
    [
      'a wrong type',
      { 'p.yaml': plugin('oci://r.test/header-policy:1.0.0', '  priority: high\n') },
      ['p.yaml'],
      'p.yaml:7:13: error: spec.priority: expected a number, got a string [config.invalid]',
    ],
    [
      'an unknown plugin',
      {
        'p.yaml': `apiVersion: postern.dev/v1alpha1
kind: PluginPolicy
metadata: { name: limits }
spec:
  targetRefs: [{ group: extensions.istio.io, kind: WasmPlugin, name: heders }]
`,
      },
      ['p.yaml', 'policy/headers.yaml'],
      'p.yaml:5:70: error: spec.targetRefs[0].name: there is no WasmPlugin heders in namespace default; did you mean headers? [config.dangling_reference]',
    ],
    [
      'an unknown module',
      { 'p.yaml': plugin('oci://r.test/headers-policy:1.0.0') },
      ['p.yaml'],
      'p.yaml:6:8: error: spec.url: there is no module headers-policy; did you mean header-policy? To bring it in run `postern add FILE.wasm --url oci://r.test/headers-policy:1.0.0`, then deploy [config.module_unknown]',
    ],
    [
      'a module that was added and not deployed',
      { 'p.yaml': plugin('oci://r.test/header-policy:2.0.0') },
      ['p.yaml'],
      'p.yaml:6:8: error: spec.url: header-policy 2.0.0 stands under plugins/, but the gateway does not have it: run `npm run deploy`, or restart `npm start` [apply.not_bound]',
    ],
    [
      'a file that is no known module',
      { 'p.yaml': plugin('file://x.wasm'), 'x.wasm': 'x' },
      ['p.yaml'],
      'p.yaml:6:8: error: spec.url: this file is none of the known modules; run `postern add x.wasm`, then deploy [config.module_unknown]',
    ],
    [
      'a file that is not what sha256 says',
      { 'p.yaml': plugin('file://x.wasm', `  sha256: ${sha('a')}\n`), 'x.wasm': 'x' },
      ['p.yaml'],
      'p.yaml:7:11: error: spec.sha256: the sha256 of file://x.wasm is 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 [config.module_mismatch]',
    ],
    [
      'a capability that is not in the ABI',
      {
        'p.yaml': `apiVersion: postern.dev/v1alpha1
kind: PluginPolicy
metadata: { name: limits }
spec:
  targetRefs: [{ group: extensions.istio.io, kind: WasmPlugin, name: headers }]
  allowedCapabilities:
    - proxy_lg
`,
      },
      ['p.yaml', 'policy'],
      'p.yaml:7:7: error: spec.allowedCapabilities[0]: there is no host call or callback "proxy_lg"; did you mean proxy_log? [config.invalid]',
    ],
    [
      'the same resource in two files',
      { 'p.yaml': plugin('oci://r.test/header-policy:1.0.0') },
      ['p.yaml', 'policy'],
      'policy/headers.yaml:4:9: error: metadata.name: WasmPlugin default/headers is in p.yaml, line 4, already [config.duplicate]',
    ],
  ]

  it.each(cases)('%s', async (_what, files, paths, expected) => {
    const { postern, gateway } = await policyFolder(files)
    const { exitCode, stdout, stderr } = await postern('apply', '-f', ...paths)
    expect(stderr).toContain(expected)
    expect([exitCode, stdout, gateway.values.size]).toEqual([1, '', 0])
  })

  it('reports what is wrong in every file at once, as JSON too', async () => {
    const { postern } = await policyFolder({ 'a.yaml': 'kind: X\n', 'b.yaml': 'a: "\n' })
    const { exitCode, stdout } = await postern('apply', '-f', 'a.yaml', '-f', 'b.yaml', '--json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'config.unknown_kind', fault: 'client' },
      problems: [
        { file: 'a.yaml', line: 1, column: 7, code: 'config.unknown_kind' },
        { file: 'b.yaml', line: 2, code: 'config.syntax' },
      ],
    })
  })

  it('shows what a plugin that does not start logged', async () => {
    const { postern, gateway } = await policyFolder()
    gateway.preflight = [
      {
        plugin: 'default.headers',
        ok: false,
        reason: 'on_configure said no',
        logs: ['set: no list'],
      },
    ]
    const { exitCode, stderr } = await postern('apply', '-f', 'policy')
    expect([exitCode, gateway.values.size]).toEqual([1, 0])
    expect(stderr).toContain(
      'default.headers did not start: on_configure said no\n    set: no list\n',
    )
  })
})
