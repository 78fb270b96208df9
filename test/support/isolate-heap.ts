/** What is left on an isolate's heap when everything that nobody needs has been collected, by workerd's inspector. */

/**
 * Bytes in use, after a collection.
 * @param inspector - `host:port` of the inspector
 * @param service - the isolate's name in workerd's configuration
 * @param url - of the isolate: one that nobody asks anything answers its inspector late, or never
 */
export async function isolateHeap(
  inspector: string,
  service: string,
  url: string,
): Promise<number> {
  const socket = new WebSocket(`ws://${inspector}/${service}`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${inspector}`)))
  })
  let last = 0
  const call = (method: string): Promise<{ readonly usedSize?: number }> => {
    const id = ++last
    const { promise, resolve } = Promise.withResolvers<{ readonly usedSize?: number }>()
    socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const answer = JSON.parse(data) as { id?: number; result?: { usedSize?: number } }
      if (answer.id === id) resolve(answer.result ?? {})
    })
    socket.send(JSON.stringify({ id, method }))
    return promise
  }
  const asking = setInterval(() => void fetch(`${url}/-/healthz`).catch(() => undefined), 20)
  try {
    await call('HeapProfiler.collectGarbage')
    const { usedSize = NaN } = await call('Runtime.getHeapUsage')
    return usedSize
  } finally {
    clearInterval(asking)
    socket.close()
  }
}
