/**
 * A small shop behind the gateway. It knows nothing of policy: it answers with card numbers in clear
 * and a header that says what it runs on, and leaves both to the gateway's plugins.
 */
import { Hono } from 'hono'

const ITEMS = [
  { sku: 'tea-100', name: 'Green tea, 100 g', cents: 450 },
  { sku: 'cup-2', name: 'Cup, blue', cents: 990 },
]

const ORDER = {
  order: 1001,
  store: '042',
  items: [ITEMS[0]],
  // a test number of the card schemes, not anybody's
  paid_with: { card: '4111 1111 1111 1111', expires: '12/27' },
}

const shop: Hono = new Hono()

shop.use(async (c, next) => {
  await next()
  c.header('x-powered-by', 'shop/0.9')
})
shop.get('/', (c) => c.text('Welcome to the shop. Try /items, /orders/1001 and /api/stock.\n'))
shop.get('/items', (c) => c.json(ITEMS))
shop.get('/orders/1001', (c) => c.json(ORDER))
shop.get('/api/stock', (c) =>
  c.json({ consumer: c.req.header('x-consumer') ?? null, stock: { 'tea-100': 12, 'cup-2': 3 } }),
)
shop.all('/echo', async (c) =>
  c.json({
    method: c.req.method,
    url: c.req.url,
    headers: c.req.header(),
    body: await c.req.text(),
  }),
)

export default shop
