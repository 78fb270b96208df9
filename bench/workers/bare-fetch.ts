/** Baseline of `pass-through-1mb`: the least a proxy can do. */
const worker = {
  fetch(request: Request, env: { UPSTREAM: string }): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    return fetch(`${env.UPSTREAM}${pathname}${search}`, request)
  },
}

export default worker
