// A second Worker for service bindings: says what it was asked, under which URL.
export default {
  async fetch(request) {
    const body = await request.text()
    return Response.json(
      { method: request.method, url: request.url, headers: [...request.headers], body },
      { headers: { 'x-shop': 'yes' } },
    )
  },
}
