/** Upstreams in a snapshot: policies filled in, addresses inside refused. */
import { describe, expect, it } from 'vitest'
import { checkResource } from '../resources/check-resource.ts'
import type { Upstream } from '../resources/upstream.ts'
import { upstream } from '../testing/resources.ts'
import { compileUpstreams } from './compile-upstreams.ts'

const compiled = (spec: Partial<Upstream['spec']>) =>
  compileUpstreams([upstream('u', spec)], undefined).upstreams['u']

describe('an upstream in a snapshot', () => {
  it('has nothing that was not asked for', () => {
    expect(compiled({})).toEqual({
      name: 'u',
      url: 'http://u.test',
      aliases: [],
      timeoutMs: 15_000,
    })
  })

  // the gateway reads host and port out of it, and puts paths behind it
  it.each([
    ['https:shop.test', 'https://shop.test'],
    [' https://SHOP.test:443// ', 'https://shop.test'],
    ['http://shop.test/a/../b c/', 'http://shop.test/b%20c'],
    ['http:\\\\shop.test:8080\\x', 'http://shop.test:8080/x'],
  ])('has the url %j as it is asked for', (url, stored) => {
    expect(compiled({ url })?.url).toBe(stored)
  })

  it('has its policies with their defaults', () => {
    expect(
      compiled({ retries: {}, outlierDetection: {}, allowedPaths: ['/b/', '/a', '/b'] }),
    ).toMatchObject({
      retry: { attempts: 1, codes: [], backoffMs: 25 },
      outlier: { consecutive5xx: 5, baseEjectionMs: 30_000, maxEjectionMs: 300_000 },
      allowedPaths: ['/a', '/b'],
    })
  })

  it('has its policies as they were written', () => {
    const retries = { attempts: 3, codes: [503, 502], backoffMs: 5 }
    const outlierDetection = {
      consecutive5xxErrors: 0,
      consecutiveGatewayErrors: 2,
      baseEjectionMs: 10,
      maxEjectionMs: 5,
    }
    expect(compiled({ retries, outlierDetection })).toMatchObject({
      retry: { attempts: 3, codes: [502, 503], backoffMs: 5 },
      outlier: { consecutiveGatewayErrors: 2, baseEjectionMs: 10, maxEjectionMs: 10 },
    })
    expect(compiled({ outlierDetection: { consecutive5xxErrors: 0 } })).not.toHaveProperty(
      'outlier',
    )
  })
})

describe('an address inside', () => {
  it.each(['http://127.0.0.1:8080', 'http://localhost', 'http://0xa9fea9fe/x', 'https://[::1]'])(
    '%s is refused unless it is said',
    (url) => {
      const found = compileUpstreams([upstream('u', { url })], undefined).problems
      expect(found).toMatchObject([
        { code: 'config.private_address', severity: 'error', path: ['spec', 'url'] },
      ])
      expect(found[0]?.message).toContain('write allowPrivate: true')
      const allowed = upstream('u', { url, allowPrivate: true })
      expect(compileUpstreams([allowed], undefined).problems).toEqual([])
    },
  )
})

describe('a field is refused', () => {
  it.each([
    [{ allowedPaths: [] }, 'expected at least one path'],
    [{ allowedPaths: ['v1'] }, 'expected a path that starts with "/"'],
    [{ allowedPaths: ['/a/../b'] }, 'without "//", "/./", "/../"'],
    [{ allowedPaths: ['/a%2fb'] }, 'encoded dots or slashes'],
    [{ allowedPaths: ['/a?b'] }, '"?" and "#"'],
    [{ retries: { attempts: 11 } }, 'from 0 to 10'],
    [{ retries: { codes: [302] } }, 'from 400 to 599'],
    [{ retries: { backoff: '1s' } }, 'did you mean "backoffMs"?'],
    [{ outlierDetection: { baseEjectionMs: 0 } }, 'from 1 to'],
    [{ outlierDetection: { consecutive5xx: 1 } }, 'did you mean "consecutive5xxErrors"?'],
    [{ allowPrivate: 'yes' }, 'expected true or false'],
  ])('%j', (spec, expected) => {
    const { problems } = checkResource(upstream('u', spec as object))
    expect(problems.map(({ message }) => message).join('\n')).toContain(expected)
  })
})
