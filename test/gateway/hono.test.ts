/** The middleware in Hono apps: in Node, and the example on Node and in workerd. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestHarness } from 'wrangler'
import { proxyWasm, type ProxyWasmPlugin } from '../../src/hono.ts'
import { send } from '../support/client.ts'
import { script } from '../support/machine.ts'
import { type Origin, startOrigin } from '../support/origin.ts'
import { freePort } from '../support/workerd.ts'

const repository = join(import.meta.dirname, '../..')
const compiled = (path: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(join(repository, path)))
const probeModule = compiled('test/fixtures/probe/probe-0.2.1.wasm')
const probe = (steps: Record<string, readonly unknown[]>, more: object = {}): ProxyWasmPlugin => ({
  module: probeModule,
  configuration: script(steps),
  ...more,
})
const quiet = { log: { level: 5, log: () => undefined } } as const
const mark = (name: string) => ({
  request_headers: [{ call: 'add_header', name: 'x-order', value: name }],
  response_headers: [{ call: 'add_header', name: 'x-order', value: name }],
})

describe('in an app', () => {
  it('edits what the handlers see and what they answer, on its routes alone', async () => {
    const app = new Hono()
    app.use('/api/*', proxyWasm({ ports: quiet, plugins: [probe(mark('a')), probe(mark('b'))] }))
    app.get('*', (c) => c.text(c.req.header('x-order') ?? 'none'))
    const inside = await app.request('/api/x')
    expect([await inside.text(), inside.headers.get('x-order')]).toEqual(['a, b', 'b, a'])
    const outside = await app.request('/x')
    expect([await outside.text(), outside.headers.get('x-order')]).toEqual(['none', null])
  })

  it('runs several times around one request, each with plugins of its own', async () => {
    const app = new Hono()
    app.use(proxyWasm({ ports: quiet, plugins: [probe(mark('outer'))] }))
    app.use('/api/*', proxyWasm({ ports: quiet, plugins: [probe(mark('inner'))] }))
    app.get('*', (c) => c.text(c.req.header('x-order') ?? 'none'))
    const response = await app.request('/api/x')
    expect([await response.text(), response.headers.get('x-order')]).toEqual([
      'outer, inner',
      'inner, outer',
    ])
  })

  it('lets out nothing that has not passed the plugins when it fails behind the handlers', async () => {
    const logged: string[] = []
    const log = {
      level: 0,
      log: ({ message }: { message: string }) => void logged.push(message),
    } as const
    const app = new Hono()
    app.use(proxyWasm({ ports: { log }, plugins: [probe(mark('a'))] }))
    app.get('*', () => {
      const response = new Response('secret')
      // nothing that a handler should answer, and nothing that the machine expects
      const unreadable = (): never => {
        throw new Error('unreadable')
      }
      return Object.defineProperty(response, 'headers', { get: unreadable })
    })
    const response = await app.request('/x')
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining('gateway.internal'),
    ])
    expect(logged).toContain('Error: unreadable')
  })

  it('answers itself with a local reply; no handler runs', async () => {
    let ran = false
    const app = new Hono()
    const reply = { call: 'local_reply', status: 403, body: 'no', headers: [['x-why', 'plugin']] }
    app.use(proxyWasm({ ports: quiet, plugins: [probe({ request_headers: [reply] })] }))
    app.get('*', (c) => {
      ran = true
      return c.text('handler')
    })
    const response = await app.request('/')
    expect([response.status, await response.text(), response.headers.get('x-why')]).toEqual([
      403,
      'no',
      'plugin',
    ])
    expect(ran).toBe(false)
  })

  it('edits bodies in both directions', async () => {
    const edit = (value: string) => [{ call: 'set_body', value, if: { end_of_stream: true } }]
    const hold = [{ call: 'return', action: 1, if: { end_of_stream: false } }]
    const app = new Hono()
    app.use(
      proxyWasm({
        ports: quiet,
        plugins: [
          probe({
            request_body: [...hold, ...edit('to the handler')],
            response_body: [...hold, ...edit('to the client')],
          }),
        ],
      }),
    )
    let got = ''
    app.post('*', async (c) => {
      got = await c.req.text()
      return c.text('from the handler')
    })
    const response = await app.request('/', { method: 'POST', body: 'from the client' })
    expect([got, await response.text()]).toEqual(['to the handler', 'to the client'])
    expect(response.headers.get('content-length') ?? '13').toBe('13')
  })

  it('gets a body that an earlier middleware has read', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.text()
      await next()
    })
    app.use(proxyWasm({ ports: quiet, plugins: [probe({ request_body: [] })] }))
    app.post('*', async (c) => c.text(`got ${await c.req.text()}`))
    const response = await app.request('/', { method: 'POST', body: 'abc' })
    expect([response.status, await response.text()]).toEqual([200, 'got abc'])
  })

  it('passes the answer of the app’s error handler through the plugins', async () => {
    const app = new Hono()
    app.use(proxyWasm({ ports: quiet, plugins: [probe(mark('p'))] }))
    app.get('*', () => {
      throw new Error('boom')
    })
    app.onError((error, c) => c.text(`handled ${error.message}`, 500))
    const response = await app.request('/')
    expect([response.status, await response.text(), response.headers.get('x-order')]).toEqual([
      500,
      'handled boom',
      'p',
    ])
  })

  it('leaves what is thrown and is no Error to the app', async () => {
    const app = new Hono()
    app.use(proxyWasm({ ports: quiet, plugins: [probe(mark('p'))] }))
    app.get('*', () => {
      // oxlint-disable-next-line no-throw-literal, only-throw-error -- it is what is tested
      throw 'text'
    })
    await expect(app.request('/')).rejects.toBe('text')
  })

  it('says 404 through the plugins where no handler is', async () => {
    const app = new Hono()
    app.use(proxyWasm({ ports: quiet, plugins: [probe(mark('p'))] }))
    const response = await app.request('/')
    expect([response.status, response.headers.get('x-order')]).toEqual([404, 'p'])
  })

  it.each([
    ['FAIL_CLOSE', 503],
    ['FAIL_OPEN', 200],
  ] as const)(
    'follows the failStrategy of a plugin that traps: %s',
    async (failStrategy, status) => {
      const app = new Hono()
      const trap = [{ call: 'trap', kind: 'unreachable' }]
      app.use(
        proxyWasm({ ports: quiet, plugins: [probe({ request_headers: trap }, { failStrategy })] }),
      )
      app.get('*', (c) => c.text('handler'))
      expect((await app.request('/')).status).toBe(status)
    },
  )

  it('starts one vm for first requests that come at the same time', async () => {
    const lines: string[] = []
    const ports = {
      log: { level: 2, log: ({ message }: { message: string }) => void lines.push(message) },
    } as const
    const app = new Hono()
    app.use(proxyWasm({ ports, plugins: [probe({ configure: [] })] }))
    app.get('*', (c) => c.text('ok'))
    await Promise.all(Array.from({ length: 5 }, () => app.request('/')))
    expect(lines.filter((line) => line.includes('"on":"configure"'))).toHaveLength(1)
  })

  it('refuses a module that is no Proxy-Wasm module when it is made', () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
    expect(() => proxyWasm({ plugins: [{ module: empty }] })).toThrow(/proxy_abi_version/)
  })
})

describe('a plugin’s callout', () => {
  let authz: Origin
  beforeAll(async () => {
    authz = await startOrigin((exchange) =>
      exchange.reply(exchange.header('x-original-path') === '/ok' ? 200 : 403),
    )
  })
  afterAll(() => authz.stop())

  it('goes to the upstream of that name', async () => {
    const app = new Hono()
    app.use(
      proxyWasm({
        ports: quiet,
        upstreams: { authz: authz.url },
        plugins: [
          {
            module: compiled('plugins/remote-authz/1.0.0.wasm'),
            configuration: { upstream: 'authz' },
          },
        ],
      }),
    )
    app.get('*', (c) => c.text('handler'))
    expect((await app.request('/ok')).status).toBe(200)
    expect((await app.request('/no')).status).toBe(403)
  })
})

describe('the example', () => {
  const expectShop = async (url: string): Promise<void> => {
    const api = await send(`${url}/api/items`)
    expect(api.json()).toEqual({ store: 'store-042', items: ['apron', 'mug', 'tea towel'] })
    expect(api.header('x-policy-version')).toBe('header-policy/1.1.0')
    expect([api.header('x-frame-options'), api.header('x-seen-path')]).toEqual([
      'DENY',
      '/api/items',
    ])
    expect((await send(`${url}/`)).header('x-policy-version')).toBeUndefined()
  }

  it('runs on Node', async () => {
    const port = await freePort()
    const child = spawn(process.execPath, ['examples/hono-middleware/node.ts'], {
      cwd: repository,
      env: { ...process.env, PORT: `${port}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await expectShop(`http://127.0.0.1:${port}`)
    } finally {
      child.kill()
    }
  })

  it('runs in workerd', async () => {
    const server = createTestHarness({
      root: repository,
      workers: [{ configPath: 'examples/hono-middleware/worker/wrangler.toml' }],
    })
    try {
      const { url } = await server.listen()
      await expectShop(url.origin)
    } finally {
      await server.close()
    }
  })
})
