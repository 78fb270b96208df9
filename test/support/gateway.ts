/** A gateway in workerd with a scripted origin, and policies applied to it in one call. */
import type { ApplyResult } from '../../src/config/apply/apply-request.ts'
import type { GatewayStatus } from '../../src/gateway/index.ts'
import { type Handler, type Origin, startOrigin } from './origin.ts'
import { startWorkerd, type Workerd, type WorkerdOptions } from './workerd.ts'

export interface TestGateway extends Workerd {
  readonly origin: Origin
  /**
   * Applies these resources and no others, and waits until the gateway runs them.
   * @throws when they are refused
   */
  policy(...resources: readonly (object | readonly object[])[]): Promise<number>
  /** One `POST /-/apply` as it is. */
  apply(body: object): Promise<{ readonly status: number; readonly result: ApplyResult }>
  status(): Promise<GatewayStatus>
  /** Waits until `/-/status` says so; the last status is in the error when it never does. */
  until(what: string, holds: (status: GatewayStatus) => boolean): Promise<GatewayStatus>
}

const PATIENCE_MS = 10_000

/** Starts both. */
export async function startGateway(
  options: WorkerdOptions & { readonly handler?: Handler } = {},
): Promise<TestGateway> {
  const origin = await startOrigin(options.handler)
  const workerd = await startWorkerd(options)
  return gatewayOf(workerd, origin)
}

/** The same over a workerd that runs already. */
export function gatewayOf(workerd: Workerd, origin: Origin): TestGateway {
  const status = async (): Promise<GatewayStatus> => {
    const response = await workerd.admin('/-/status')
    return (await response.json()) as GatewayStatus
  }
  const apply: TestGateway['apply'] = async (body) => {
    const response = await workerd.admin('/-/apply', { method: 'POST', body: JSON.stringify(body) })
    return { status: response.status, result: (await response.json()) as ApplyResult }
  }
  return {
    ...workerd,
    origin,
    apply,
    status,
    async policy(...resources) {
      const { revision: base } = (await (
        await workerd.admin('/-/refresh', { method: 'POST' })
      ).json()) as GatewayStatus
      const { result } = await apply({ resources: resources.flat(), base, prune: true, by: 'test' })
      if (result.result !== 'applied' && result.result !== 'unchanged') {
        throw new Error(`not applied: ${JSON.stringify(result, null, 2)}`)
      }
      await workerd.admin('/-/refresh', { method: 'POST' })
      return result.revision
    },
    async until(what, holds) {
      const deadline = Date.now() + PATIENCE_MS
      for (;;) {
        const now = await status()
        if (holds(now)) return now
        if (Date.now() > deadline) throw new Error(`never ${what}: ${JSON.stringify(now, null, 2)}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async stop(signal) {
      await workerd.stop(signal)
      await origin.stop()
    },
  }
}
