/** Rollouts for gateway tests: a plugin that marks both directions of a request, and other versions of it. */
import { headerProbe, type ProbeSteps } from './policy.ts'

/** The origin's answer says with which mark the request came, so both directions meet in one reply. */
export const SEEN = 'x-seen'
/** With which mark the response came by. */
export const ANSWERED = 'x-answered'
/** With which mark the request came to the origin. */
export const ASKED = 'x-asked'

/** The steps of a version that marks request and response. @param more - steps of its requests besides */
export function marks(value: string, more: readonly object[] = []): Record<string, object[]> {
  return {
    request_headers: [{ call: 'set_header', name: ASKED, value }, ...more],
    response_headers: [{ call: 'set_header', name: ANSWERED, value }],
  }
}

/** The plugin that a rollout is of, as `mark`. */
export function marking(
  value = 'old',
  steps: Record<string, object[]> = marks(value),
  name = 'mark',
): object {
  return headerProbe(name, steps)
}

/** @param spec - what is not said is one step of an hour at 50 per cent, keyed by `x-user` */
export function pluginRollout(
  spec: object = {},
  candidate: ProbeSteps = marks('new'),
  { name = 'next', plugin = 'mark' }: { readonly name?: string; readonly plugin?: string } = {},
): object {
  const { spec: version } = headerProbe(plugin, candidate) as { spec: { pluginConfig: object } }
  return rolloutResource(plugin, version.pluginConfig, spec, name)
}

/**
 * A PluginRollout to another configuration of a plugin.
 * @param spec - what is not said is one step of an hour at 50 per cent, keyed by `x-user`
 */
export function rolloutResource(
  plugin: string,
  pluginConfig: object,
  spec: object = {},
  name = 'next',
): object {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'PluginRollout',
    metadata: { name },
    spec: {
      targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: plugin },
      candidate: { pluginConfig },
      key: { type: 'header', name: 'x-user' },
      steps: [{ weight: 50, pause: '1h' }],
      ...spec,
    },
  }
}
