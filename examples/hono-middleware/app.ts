/** A small shop whose API runs behind one plugin; everything else of it never sees a plugin. */
import { Hono } from 'hono'
// in an app of your own: import { proxyWasm } from 'postern/hono'
import { proxyWasm } from '../../src/hono.ts'

/** @param headerPolicy - plugins/header-policy/1.1.0.wasm, compiled */
export function shop(headerPolicy: WebAssembly.Module): Hono {
  const app = new Hono()

  app.use(
    '/api/*',
    proxyWasm({
      plugins: [
        {
          name: 'header-policy',
          module: headerPolicy,
          configuration: {
            request: { set: { 'x-store': 'store-042' }, remove: ['x-debug'] },
            response: { set: { 'x-frame-options': 'DENY', 'x-seen-path': '${request.path}' } },
          },
        },
      ],
    }),
  )

  app.get('/', (c) => c.text('A shop. Try /api/items.\n'))
  app.get('/api/items', (c) =>
    c.json({ store: c.req.header('x-store'), items: ['apron', 'mug', 'tea towel'] }),
  )
  return app
}
