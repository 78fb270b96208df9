/** Baseline of `body-plugin-1mb`: every chunk of the body goes through JavaScript. */
function touchEachChunk(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk)
    },
  })
}

const worker = {
  async fetch(request: Request, env: { UPSTREAM: string }): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const response = await fetch(`${env.UPSTREAM}${pathname}${search}`, request)
    const headers = new Headers(response.headers)
    // an edit may change the length
    headers.delete('content-length')
    const body = response.body?.pipeThrough(touchEachChunk()) ?? null
    return new Response(body, { status: response.status, headers })
  },
}

export default worker
