/** Baseline of `one-header-plugin-bare`: no framework at all. */
import { editRequest, editResponse } from './edits.ts'
import { answer, forward } from './proxy.ts'

const worker = {
  async fetch(request: Request, env: { UPSTREAM: string }): Promise<Response> {
    return answer(await forward(request, env.UPSTREAM, editRequest), editResponse)
  },
}

export default worker
