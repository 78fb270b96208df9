/** `postern validate`: everything that is wrong, at once, with its place, and without a gateway. */
import { execFileSync } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.ts'
import { policyFolder } from '../support/policy-folder.ts'

const upstream = (
  name: string,
  spec = '{ service: SHOP }',
): string => `apiVersion: postern.dev/v1alpha1
kind: Upstream
metadata: { name: ${name} }
spec: ${spec}
`

const route = (
  name: string,
  to: string,
  more = '',
): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec:
  rules:
    - backendRefs: [{ group: postern.dev, kind: Upstream, name: ${to} }]
${more}`

const plugin = (name: string, url: string): string => `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: { name: ${name} }
spec:
  url: ${url}
`

describe('postern validate', () => {
  it('finds nothing wrong in what is right, and asks no gateway', async () => {
    const { postern, gateway } = await policyFolder({
      'policy/routes.yaml': `${upstream('shop')}---\n${route('shop', 'shop')}`,
    })
    const result = await postern('validate', '-f', 'policy')
    expect(result).toEqual({
      exitCode: 0,
      stdout: '2 files, 3 resources: 0 errors.\n',
      stderr: '',
    })
    expect(gateway.asked).toEqual([])
  })

  it('reports everything in every file at once, in order, with place, field and nearest name', async () => {
    const { postern } = await policyFolder({
      'p/a.yaml': `${upstream('shop', '{ servce: SHOP }')}---\n${route('one', 'shop')}---\n${route('two', 'shopp')}`,
      'p/b/c/deep.yml': plugin('headers', 'oci://r.test/headers-policy:1.0.0'),
      'p/d.json': JSON.stringify({ kind: 'HTTPRote' }),
      'p/z.txt': 'kind: no',
    })
    const { exitCode, stdout, stderr } = await postern('validate', '-f', 'p')
    expect([exitCode, stdout]).toEqual([1, ''])
    const lines = stderr.split('\n')
    expect(lines).toEqual([
      'p/a.yaml:4:1: error: spec: expected one of url and service [config.invalid]',
      'p/a.yaml:4:9: error: spec.servce: there is no field "servce"; did you mean "service"? [config.unknown_field]',
      'p/a.yaml:18:65: error: spec.rules[0].backendRefs[0].name: there is no Upstream shopp; did you mean shop? [config.dangling_reference]',
      expect.stringMatching(
        /^p\/b\/c\/deep\.yml:5:8: error: spec\.url: .*did you mean header-policy\?/,
      ),
      'p/d.json:1:9: error: kind: there is no kind "HTTPRote"; did you mean HTTPRoute? [config.unknown_kind]',
      '5 errors in 3 files, 5 resources [config.invalid]',
      expect.stringContaining('Write what the message says'),
      '',
    ])
  })

  it('finds references that lead nowhere, also beside a resource that is broken elsewhere', async () => {
    const { postern } = await policyFolder({
      'p/a.yaml': `${upstream('shop', '{ service: SHOP, timoutMs: 5 }')}---\n${route('one', 'shop')}---\n${route('two', 'shpo')}`,
    })
    const { stderr } = await postern('validate', '-f', 'p')
    expect(stderr).toContain('there is no field "timoutMs"')
    // `shop` is there, though something in it is wrong; `shpo` is not
    expect(stderr).toContain('there is no Upstream shpo; did you mean shop?')
    expect(stderr).toContain('2 errors in 1 file')
  })

  it('says that references were not checked when something could not be read', async () => {
    const { postern } = await policyFolder({
      'p/a.yaml': route('one', 'shop'),
      'p/e.yaml': 'a: "\n',
    })
    const { stderr } = await postern('validate', '-f', 'p')
    expect(stderr).toMatch(/^Not everything could be read.*\np\/e\.yaml:2:1: error: /)
    expect(stderr).toContain('1 error in 2 files')
  })

  it('takes a reference out of the files for a warning with --partial', async () => {
    const { postern } = await policyFolder({ 'r.yaml': route('one', 'shop') })
    expect(await postern('validate', '-f', 'r.yaml')).toMatchObject({ exitCode: 1 })
    const { exitCode, stdout, stderr } = await postern('validate', '-f', 'r.yaml', '--partial')
    expect([exitCode, stdout]).toEqual([0, '1 file, 1 resource: 0 errors, 1 warning.\n'])
    expect(stderr).toContain(
      'warning: spec.rules[0].backendRefs[0].name: there is no Upstream shop',
    )
  })

  it('warns of what has no effect, and refuses it with --strict', async () => {
    const text = `${upstream('shop')}---\n${route('r', 'shop')}status: {}\n`
    const { postern } = await policyFolder({ 'p.yaml': text })
    const lenient = await postern('validate', '-f', 'p.yaml')
    expect(lenient).toMatchObject({
      exitCode: 0,
      stdout: '1 file, 2 resources: 0 errors, 1 warning.\n',
    })
    expect(lenient.stderr).toContain('p.yaml:12:1: warning: status: has no effect here')
    const strict = await postern('validate', '-f', 'p.yaml', '--strict')
    expect(strict).toMatchObject({ exitCode: 1, stdout: '' })
    expect(strict.stderr).toContain('p.yaml:12:1: error: status')
  })

  it('reads standard input, and several paths, each once', async () => {
    const line = await commandLine(
      { 'a.yaml': upstream('shop'), 'b.json': JSON.stringify(null) },
      { stdin: `${route('r', 'shop')}  timeoutMs: 1\n` },
    )
    const { exitCode, stderr } = await line.postern('validate', '-f', 'a.yaml', 'a.yaml', '.', '-')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('stdin:7:3: error: spec.timeoutMs: there is no field "timeoutMs"')
    expect(stderr).toContain('1 error in 3 files, 2 resources')
  })

  it('says that modules were not checked where there is no plugins/', async () => {
    const { postern } = await commandLine({ 'p.yaml': plugin('p', 'oci://r.test/anything:1') })
    expect(await postern('validate', '-f', 'p.yaml')).toEqual({
      exitCode: 0,
      stdout: '1 file, 1 resource: 0 errors.\n',
      stderr: 'There is no plugins/ here, so modules were not checked.\n',
    })
    const { stdout } = await postern('validate', '-f', 'p.yaml', '--json')
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      problems: [],
      files: 1,
      resources: 1,
      modulesChecked: false,
      referencesChecked: true,
    })
  })

  it('prints one JSON value with --json, right or wrong', async () => {
    const { postern } = await policyFolder({ 'p.yaml': upstream('s', '{}') })
    const { exitCode, stdout, stderr } = await postern('validate', '-f', 'p.yaml', '--json')
    expect([exitCode, stderr]).toEqual([1, ''])
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: {
        code: 'config.invalid',
        fault: 'client',
        message: '1 error in 1 file, 1 resource',
        next: expect.any(String),
      },
      problems: [
        {
          code: 'config.invalid',
          severity: 'error',
          resource: 'Upstream default/s',
          path: ['spec'],
          message: 'expected one of url and service',
          file: 'p.yaml',
          line: 4,
          column: 1,
        },
      ],
      files: 1,
      resources: 1,
      modulesChecked: true,
      referencesChecked: true,
    })
  })

  it('starts plugins with --try, and shows what those that do not start say', async () => {
    const { postern, cwd } = await commandLine({})
    await symlink(join(import.meta.dirname, '../../plugins'), join(cwd, 'plugins'))
    const policy = (set: string): string =>
      `${plugin('headers', 'oci://ghcr.io/postern/header-policy:1.0.0')}  pluginConfig: { response: { ${set}: { a: b } } }\n`
    await writeFile(join(cwd, 'p.yaml'), policy('sett'))
    // the fields of the resource are right: what is in a configuration only its plugin knows
    expect(await postern('validate', '-f', 'p.yaml')).toMatchObject({ exitCode: 0 })
    const { exitCode, stderr } = await postern('validate', '-f', 'p.yaml', '--try')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^default\.headers did not start: .*\n {4}.*unknown field `sett`/)
    expect(stderr).toContain('1 plugin did not start [plugin.preflight_refused]')
    await writeFile(join(cwd, 'p.yaml'), policy('set'))
    expect(await postern('validate', '-f', 'p.yaml', '--try')).toEqual({
      exitCode: 0,
      stdout: '1 file, 1 resource: 0 errors.\n',
      stderr: '',
    })
  })

  it('starts the candidates of rollouts with --try, too', async () => {
    const { postern, cwd } = await commandLine({})
    await symlink(join(import.meta.dirname, '../../plugins'), join(cwd, 'plugins'))
    const rollout = `---
apiVersion: postern.dev/v1alpha1
kind: PluginRollout
metadata: { name: next }
spec:
  targetRef: { group: extensions.istio.io, kind: WasmPlugin, name: headers }
  candidate: { pluginConfig: { response: { sett: { a: b } } } }
  steps: [{ weight: 1, pause: 1h }]
`
    const stable = plugin('headers', 'oci://ghcr.io/postern/header-policy:1.0.0')
    await writeFile(join(cwd, 'p.yaml'), `${stable}${rollout}`)
    const { exitCode, stderr } = await postern('validate', '-f', 'p.yaml', '--try')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^default\.headers \(candidate\) did not start: .*unknown field `sett`/)
    expect(stderr).toContain('1 plugin did not start [plugin.preflight_refused]')
  })

  it('says why plugins were not tried', async () => {
    const { postern } = await commandLine({ 'p.yaml': plugin('p', 'oci://r.test/x:1') })
    const { exitCode, stderr } = await postern('validate', '-f', 'p.yaml', '--try')
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('Plugins were not tried')])
  })

  it.each([
    ['nothing at all', '', 'no resources in -'],
    ['documents that are empty', '---\n---\n', 'no resources in -'],
    ['bytes that are no text', '\u0000\u0001\ufffd', 'error: '],
    ['aliases that grow without end', bomb(), 'alias'],
    [
      'text that is no UTF-8',
      Buffer.from('a: b\nc: caf\xe9\n', 'latin1'),
      'stdin:2:7: error: a byte',
    ],
    [
      'UTF-16 that does not say so',
      Buffer.from('a: b\n', 'utf16le'),
      'stdin:1:2: error: a NUL byte',
    ],
    ['UTF-16', Buffer.from('\ufeffa: b\n', 'utf16le'), 'stdin:1:1: error: the file is UTF-16'],
    ['an alias of what it is in', 'a: &x { b: *x }\n', 'stdin:1:12: error: the anchor "x"'],
    ['a list in place of a document', '- a\n- b\n', 'got a list'],
    ['a document as deep as a stack', `${'['.repeat(20_000)}\n`, 'error: '],
  ])('refuses %s', async (_what, stdin, expected) => {
    const { postern } = await commandLine({}, { stdin })
    const { exitCode, stderr } = await postern('validate', '-f', '-')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(expected)
  })

  it('reads no second copies, and waits for nobody', async () => {
    const { cwd, postern } = await commandLine({
      'p/a.yaml': upstream('a'),
      'p/..2026_11_21/a.yaml': upstream('a'),
      'p/.#a.yaml': 'half a line: [',
    })
    execFileSync('mkfifo', [join(cwd, 'p/pipe.yaml')])
    expect(await postern('validate', '-f', 'p')).toEqual({
      exitCode: 0,
      stdout: '1 file, 1 resource: 0 errors.\n',
      stderr: 'There is no plugins/ here, so modules were not checked.\n',
    })
  })

  it('names what cannot be read in a folder, and reads the rest', async () => {
    const { cwd, postern } = await commandLine({ 'p/z.yaml': upstream('a', '{ servce: SHOP }') })
    await symlink('nowhere.yaml', join(cwd, 'p/dangling.yaml'))
    await symlink('loop.yaml', join(cwd, 'p/loop.yaml'))
    const { exitCode, stderr } = await postern('validate', '-f', 'p')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('p/dangling.yaml: error: there is no such file or folder')
    expect(stderr).toContain('p/loop.yaml: error: a symbolic link that leads to itself')
    expect(stderr).toContain('p/z.yaml:4:9: error: spec.servce')
  })

  it('takes an empty path for a mistake, and a file that no gateway would take', async () => {
    const { cwd, postern } = await commandLine({ 'a.yaml': upstream('a') })
    await writeFile(join(cwd, 'huge.yaml'), `# ${'x'.repeat(21 * 1024 * 1024)}\n`)
    const empty = await postern('validate', '-f', '')
    expect([empty.exitCode, empty.stderr]).toEqual([
      1,
      expect.stringContaining('the path is empty; write . for this folder [config.file_missing]'),
    ])
    const huge = await postern('validate', '-f', 'huge.yaml')
    expect([huge.exitCode, huge.stderr]).toEqual([
      1,
      expect.stringContaining('huge.yaml: error: the file has 21.0 MiB; a gateway takes 20 MiB'),
    ])
  })

  it('reads a long list in one go', async () => {
    const keys = Array.from({ length: 60_000 }, (_, at) => `    k${at}: x`).join('\n')
    const long = `${plugin('long', 'oci://r.test/x:1')}  pluginConfig:\n${keys}\n    k7: again\n`
    const { postern } = await commandLine({}, { stdin: long })
    const { exitCode, stderr } = await postern('validate', '-f', '-')
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('stdin:60007:5: error: Map keys must be unique'),
    ])
  })

  it('is called wrongly without files', async () => {
    const { postern } = await commandLine({})
    expect(await postern('validate')).toMatchObject({ exitCode: 2 })
    expect(await postern('validate', '-f', 'x', '--what')).toMatchObject({ exitCode: 2 })
  })
})

/** Nine levels of nine aliases each. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const item = level === 0 ? 'x' : `*a${level - 1}`
    return `a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(', ')}]`
  })
  return `${levels.join('\n')}\n`
}

describe('the root namespace', () => {
  const WRANGLER = '[vars]\n# whose plugins are for all\nROOT_NAMESPACE = "platform"\n'
  const POLICY = `${upstream('shop')}---
${route('shop', 'shop')}---
${plugin('waf', 'oci://r.test/header-policy:1.0.0').replace('waf', 'waf, namespace: platform')}`

  it.each([
    ['Istio’s, where nothing says otherwise', {}, {}, [], false],
    ['that of the option', {}, { ROOT_NAMESPACE: 'other' }, ['platform'], true],
    ['that of the variable', {}, { ROOT_NAMESPACE: 'platform' }, [], true],
    ['that of wrangler.toml here', { 'wrangler.toml': WRANGLER }, {}, [], true],
    [
      'that of the variable before that of wrangler.toml',
      { 'wrangler.toml': WRANGLER },
      { ROOT_NAMESPACE: 'other' },
      [],
      false,
    ],
  ])('is %s', async (_, files, env, option, reached) => {
    const { postern } = await commandLine({ ...files, 'policy.yaml': POLICY }, { env })
    const options = option.flatMap((name) => ['--root-namespace', name])
    const { exitCode, stderr } = await postern('validate', '-f', 'policy.yaml', ...options)
    expect(exitCode).toBe(0)
    expect(stderr.includes('namespace platform has neither routes nor a Gateway')).toBe(!reached)
  })

  it('has a name that a namespace may have', async () => {
    const { postern } = await commandLine({ 'policy.yaml': POLICY })
    const named = ['--root-namespace', 'Not One']
    const { exitCode, stderr } = await postern('validate', '-f', 'policy.yaml', ...named)
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"Not One" is no name')])
  })
})
