/** How a url and a sha256 find a module, and what is said when they do not. */
import { describe, expect, it } from 'vitest'
import { CATALOG, sha } from '../testing/resources.ts'
import { resolveModule } from './module-catalog.ts'

const IMAGES = [
  ...CATALOG,
  {
    name: 'img',
    version: '2.0.0',
    sha256: sha('e'),
    urls: [
      `oci://registry:5000/a/img:2.0.0@sha256:${sha('d')}`,
      `registry:5000/a/img@sha256:${sha('d')}`,
    ],
  },
]

describe('a module is found', () => {
  it.each([
    ['by its sha256, whatever the url says', 'https://x.test/y.wasm', sha('b'), '1.1.0'],
    ['by name and version', 'oci://ghcr.io/a/b/header-policy:1.1.0', undefined, '1.1.0'],
    ['by name and version without a scheme', 'ghcr.io/header-policy:1.0.0', '', '1.0.0'],
    [
      'behind a registry with a port',
      'oci://registry:5000/header-policy:1.0.0',
      undefined,
      '1.0.0',
    ],
    ['by a registered url', 'https://plugins.test/api-key.wasm', undefined, '1.0.0'],
    ['when url and sha256 agree', 'oci://r.test/header-policy:1.0.0', sha('a'), '1.0.0'],
    ['by the digest of an image', `registry:5000/a/img@sha256:${sha('d')}`, '', '2.0.0'],
    ['by the digest of an image as sha256', 'registry:5000/a/img:latest', sha('d'), '2.0.0'],
  ])('%s', (_how, url, sha256, version) => {
    expect(resolveModule(url, sha256, IMAGES)).toMatchObject({ module: { version } })
  })
})

describe('a digest', () => {
  it('is that of one repository', () => {
    const resolved = resolveModule('oci://other.test/a/img:latest', sha('d'), IMAGES)
    expect(resolved).toMatchObject({ code: 'config.module_unknown', field: 'sha256' })
  })
})

describe('a module is refused', () => {
  it.each([
    [
      'an unknown sha256',
      'oci://r.test/x:1',
      sha('9'),
      'config.module_unknown',
      'run `postern add FILE.wasm --url oci://r.test/x:1`, then deploy',
    ],
    [
      'a sha256 that is another one',
      'oci://r.test/header-policy:1.0.0',
      sha('b'),
      'config.module_mismatch',
      `whose sha256 is ${sha('a')}`,
    ],
    [
      'an unknown version',
      'oci://r.test/header-policy:2.0.0',
      undefined,
      'config.module_unknown',
      'there is no header-policy 2.0.0; versions: 1.0.0, 1.1.0',
    ],
    [
      'no version',
      'oci://r.test/header-policy',
      undefined,
      'config.module_unknown',
      'name a version of header-policy: 1.0.0, 1.1.0',
    ],
    [
      'a digest nobody registered',
      `oci://r.test/header-policy:1.0.0@sha256:${sha('1')}`,
      undefined,
      'config.module_unknown',
      'no module is registered under this digest',
    ],
    [
      'a download',
      'https://x.test/a.wasm',
      undefined,
      'config.module_unknown',
      'run `postern add https://x.test/a.wasm`, then deploy',
    ],
    [
      'a misspelt name',
      'oci://r.test/api-keys:1.0.0',
      undefined,
      'config.module_unknown',
      'did you mean api-key?',
    ],
    [
      'a file nobody added',
      'file:///opt/x.wasm',
      undefined,
      'config.module_unknown',
      'run `postern add /opt/x.wasm --url file:///opt/x.wasm`, then deploy',
    ],
  ])('for %s', (_what, url, sha256, code, message) => {
    const resolved = resolveModule(url, sha256, CATALOG)
    expect(resolved).toMatchObject({ code })
    expect('message' in resolved && resolved.message).toContain(message)
  })
})
