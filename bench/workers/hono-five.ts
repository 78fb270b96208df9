/** Baseline of `five-plugins`. */
import { Hono } from 'hono'
import { editRequestFiveTimes, editResponseFiveTimes } from './edits.ts'
import { answer, forward } from './proxy.ts'

const app: Hono<{ Bindings: { UPSTREAM: string } }> = new Hono()
app.all('*', async (c) =>
  answer(await forward(c.req.raw, c.env.UPSTREAM, editRequestFiveTimes), editResponseFiveTimes),
)

export default app
