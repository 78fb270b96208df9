/** Baseline of `one-header-plugin`. */
import { Hono } from 'hono'
import { editRequest, editResponse } from './edits.ts'
import { answer, forward } from './proxy.ts'

const app: Hono<{ Bindings: { UPSTREAM: string } }> = new Hono()
app.all('*', async (c) =>
  answer(await forward(c.req.raw, c.env.UPSTREAM, editRequest), editResponse),
)

export default app
