/** The port that `npm start` listens on, and whether it is free: whatever else answers there is no gateway to apply to. */
import { createServer } from 'node:net'

const DEFAULT = 8787

/**
 * @param text - of the variable PORT; 8787 without one
 * @throws Error for what is no port
 */
export function devPort(text: string | undefined): number {
  const port = Number(text || DEFAULT)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new Error(`PORT is ${JSON.stringify(text)}, which is no port; give it as PORT=8790`)
}

/**
 * @param host - address to listen on
 * @throws Error which says how to choose another port, when something listens there already or nobody may
 */
export async function refuseBusyPort(port: number, host = '127.0.0.1'): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen({ port, host, exclusive: true }, resolve)
    })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const why = code === 'EADDRINUSE' ? 'something else listens there' : code
    const other = port === DEFAULT ? 8790 : port + 1
    throw new Error(
      `Port ${port} cannot be had on ${host}: ${why}. Stop it, or choose another port, here and for\n` +
        `the postern commands in other terminals: PORT=${other} npm start, PORT=${other} npx postern status`,
      { cause: error },
    )
  }
  await new Promise((resolve) => probe.close(resolve))
}
