/** Steps that many scenarios are made of. */
import type { Scenario, ScenarioPlugin, Step, Steps } from '../scenario.ts'

export const PAUSE: Step = { call: 'return', action: 1 }

/** Pauses a body until its end. */
export const HOLD: Step = { call: 'return', action: 1, if: { end_of_stream: false } }

/** A scenario of one probe. */
export function one(
  name: string,
  steps: Steps,
  rest: Omit<Scenario, 'name' | 'plugins'> & { readonly plugin?: ScenarioPlugin } = {},
): Scenario {
  const { plugin, ...others } = rest
  return { name, plugins: [{ steps, ...plugin }], ...others }
}

/** A scenario of a chain of probes. */
export function chain(
  name: string,
  plugins: readonly ScenarioPlugin[],
  rest: Omit<Scenario, 'name' | 'plugins'> = {},
): Scenario {
  return { name, plugins, ...rest }
}

/** The step with more fields. */
export function having(step: Step, fields: Step): Step {
  return { ...step, ...fields }
}

/** A step at the end of a body only. */
export function atEnd(step: Step): Step {
  return having(step, { if: { end_of_stream: true } })
}

/** A callout to the server that answers by the last part of the path. */
export function callout(path: string, rest: Step = {}): Step {
  return {
    call: 'http_call',
    upstream: 'callee',
    headers: [
      [':method', 'GET'],
      [':path', `/${path}`],
      [':authority', 'callee'],
    ],
    ...rest,
  }
}

/** In the callback of a callout: back to the stream that started it, which goes on. */
export const GO_ON: readonly Step[] = [
  { call: 'set_effective_context', issuer: true },
  { call: 'continue_request' },
]
