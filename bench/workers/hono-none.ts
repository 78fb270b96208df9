/** Baseline of `no-plugin`. */
import { Hono } from 'hono'
import { forward } from './proxy.ts'

const app: Hono<{ Bindings: { UPSTREAM: string } }> = new Hono()
app.all('*', (c) => forward(c.req.raw, c.env.UPSTREAM))

export default app
