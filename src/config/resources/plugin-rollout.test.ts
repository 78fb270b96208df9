import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { rollout } from '../testing/resources.ts'
import { pluginRolloutSchema } from './plugin-rollout.ts'

/** The messages about a spec whose members are replaced. */
function messages(spec: object): string[] {
  const { issues = [] } = v.safeParse(pluginRolloutSchema, rollout('r', 'p', spec))
  return issues.map(({ message }) => message)
}

const metric = { name: 'server-errors', maxIncrease: 1 }

describe('a PluginRollout', () => {
  it('is taken with everything that it can have', () => {
    const spec = {
      candidate: { url: 'oci://r.test/a:1', sha256: 'a'.repeat(64), pluginConfig: {} },
      mode: 'enforce',
      audience: {
        selector: { matchLabels: { ring: '1' } },
        matches: [{}],
        always: ['x'],
        never: [],
      },
      key: { type: 'jwtClaim', name: 'store.id' },
      steps: [
        { weight: 100, pause: '1h', mode: 'shadow' },
        {
          weight: 0.001,
          selector: { matchLabels: { store: '12' } },
          until: 'passes',
          timeout: '5m',
        },
        { weight: 100, pause: '1h', until: 'passes' },
      ],
      blackout: [{ from: '22:00', to: '06:00', days: ['fri'], timeZone: 'America/Sao_Paulo' }],
      analysis: {
        metrics: [
          ...['server-errors', 'traps', 'denials', 'host-calls'].map((name) => ({
            name,
            maxIncrease: 1,
          })),
          ...['denied', 'request.size'].map((name) => ({
            name: 'plugin-metric',
            metric: name,
            maxIncrease: 0.5,
          })),
        ],
        minSamples: 1,
        confidence: 99.99,
      },
      onFailure: 'pause',
      deadline: '24h',
    }
    expect(messages(spec)).toEqual([])
  })

  it.each([
    ['a candidate that changes nothing', { candidate: {} }, 'expected url, pluginConfig or both'],
    [
      'a digest of nothing',
      { candidate: { sha256: '', pluginConfig: {} } },
      'expected url beside sha256',
    ],
    [
      'time in a shadow',
      { mode: 'shadow', analysis: { metrics: [{ name: 'wall-time', maxIncrease: 1 }] } },
      'expected no wall-time where a step is not in mode enforce: a copy takes no time of a request',
    ],
    [
      'time where one step is a shadow',
      {
        steps: [{ weight: 5, pause: '1h', mode: 'shadow' }],
        analysis: { metrics: [{ name: 'wall-time', maxIncrease: 1 }] },
      },
      'expected no wall-time where a step is not in mode enforce: a copy takes no time of a request',
    ],
    ['no steps', { steps: [] }, 'expected at least one step'],
    [
      'a mode that is none',
      { steps: [{ weight: 5, pause: '1m', mode: 'jump' }] },
      'expected one of shadow, log-only, enforce',
    ],
    [
      'a weight too fine',
      { steps: [{ weight: 0.0005, pause: '1m' }] },
      'expected three decimals at the most',
    ],
    [
      'a weight above all',
      { steps: [{ weight: 101, pause: '1m' }] },
      'expected a number from 0 to 100',
    ],
    [
      'a step without an end',
      { steps: [{ weight: 1 }] },
      'expected pause, until or both: a step that is over at once is no step',
    ],
    [
      'a timeout of nothing',
      { steps: [{ weight: 1, pause: '1m', timeout: '1m' }] },
      'expected until beside timeout',
    ],
    [
      'until without analysis',
      { steps: [{ weight: 1, until: 'passes' }] },
      'expected analysis: a step has until',
    ],
    ['a key without a name', { key: { type: 'cookie' } }, 'expected a name'],
    [
      'a key of ours with a name that no cookie can have',
      { key: { type: 'issued', name: 'ä' } },
      'expected the name of a header or a cookie',
    ],
    [
      'a key of ours where tokens are',
      { key: { type: 'issued', name: 'postern-preview' } },
      'expected another name: this cookie has preview tokens',
    ],
    [
      'an address with a name',
      { key: { type: 'clientIp', name: 'x' } },
      'expected no name: a client has one address',
    ],
    [
      'a header that cannot be',
      { key: { type: 'header', name: 'ä' } },
      'expected the name of a header or a cookie',
    ],
    ['no metrics', { analysis: { metrics: [] } }, 'expected at least one metric'],
    ['a metric twice', { analysis: { metrics: [metric, metric] } }, 'expected each metric once'],
    [
      'the one metric of a plugin twice',
      {
        analysis: {
          metrics: Array(2).fill({ name: 'plugin-metric', metric: 'a', maxIncrease: 1 }),
        },
      },
      'expected each metric once',
    ],
    [
      "a plugin's metric without a name",
      { analysis: { metrics: [{ name: 'plugin-metric', maxIncrease: 1 }] } },
      'expected metric beside name: plugin-metric, and nowhere else',
    ],
    [
      'a name for what is no metric of the plugin',
      { analysis: { metrics: [{ ...metric, metric: 'a' }] } },
      'expected metric beside name: plugin-metric, and nowhere else',
    ],
    [
      'a name that would break its labels',
      { analysis: { metrics: [{ name: 'plugin-metric', metric: 'a"b', maxIncrease: 1 }] } },
      'expected a name without spaces, quotes and backslashes',
    ],
    [
      'no margin',
      { analysis: { metrics: [{ ...metric, maxIncrease: 0 }] } },
      'expected a number above 0: two versions are never equal to the last digit',
    ],
    [
      'no time of the day',
      { blackout: [{ from: '24:00', to: '06:00' }] },
      'expected a time of the day such as 09:30',
    ],
    [
      'a window of no length',
      { blackout: [{ from: '06:00', to: '06:00' }] },
      'expected an end other than the beginning',
    ],
    [
      'a time zone of nobody',
      { blackout: [{ from: '06:00', to: '07:00', timeZone: 'Mars/Base' }] },
      'expected a time zone such as Europe/Berlin',
    ],
    [
      'room for more failures than there can be',
      { analysis: { metrics: [{ name: 'traps', maxIncrease: 100 }] } },
      'expected a maxIncrease below 100 of what is in a hundred requests: more than all of them cannot fail',
    ],
    ['a deadline at once', { deadline: '0s' }, 'expected a deadline that is not at once'],
  ])('is refused with %s', (_, spec, message) => {
    expect(messages(spec)).toEqual([message])
  })
})
