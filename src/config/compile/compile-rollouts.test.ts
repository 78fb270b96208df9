import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { formatPath, type Problem } from '../problem.ts'
import type { PluginRollout } from '../resources/plugin-rollout.ts'
import type { SnapshotPlugin } from '../snapshot.ts'
import type { SnapshotRollout } from '../snapshot-rollout.ts'
import { rolloutSchema } from '../snapshot-rollout-schema.ts'
import { CATALOG, plugin, policy, rollout, route, sha, upstream } from '../testing/resources.ts'
import { compile } from '../compile.ts'
import { compileRollouts } from './compile-rollouts.ts'
import { reportInto } from './report.ts'

const PLUGINS = pluginsOf([
  plugin('pricing', { pluginConfig: { currency: 'EUR' } }),
  plugin('plain'),
  plugin('alone'),
  policy('alone', 'alone', { singleton: true }),
  plugin('trial'),
  plugin('shared'),
  policy('shared', 'shared', { shareVm: true, vmId: 'all' }),
  policy('trial', 'trial', { mode: 'log-only' }),
])

function pluginsOf(resources: Parameters<typeof compile>[0]['resources']): SnapshotPlugin[] {
  const all = [...resources, route('r'), upstream('shop')]
  return Object.values(compile({ resources: all, catalog: CATALOG }).snapshot?.plugins ?? {})
}

function compiled(...resources: PluginRollout[]): {
  rollouts: readonly SnapshotRollout[]
  problems: string[]
} {
  const problems: Problem[] = []
  const rollouts = compileRollouts(resources, PLUGINS, CATALOG, reportInto(problems))
  return {
    rollouts,
    problems: problems.map(({ code, path, message }) => `${code} ${formatPath(path)}: ${message}`),
  }
}

const one = (spec: Partial<PluginRollout['spec']>): SnapshotRollout | undefined =>
  compiled(rollout('r', 'pricing', spec)).rollouts[0]

describe('a key that the gateway gives out', () => {
  const resource = rollout('r', 'pricing', { key: { type: 'issued' } })

  it('is in a cookie of its own, unless that has a name', () => {
    expect(one({ key: { type: 'issued' } })?.key).toEqual({ type: 'issued', name: 'postern-key' })
    expect(one({ key: { type: 'issued', name: 'till' } })?.key).toEqual({
      type: 'issued',
      name: 'till',
    })
  })

  it('is refused where the gateway is known to have no secret', () => {
    const problems: Problem[] = []
    const report = reportInto(problems)
    compileRollouts([resource], PLUGINS, CATALOG, report, { issuesKeys: false })
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['rollout.no_secret', 'error'],
    ])
    compileRollouts([resource], PLUGINS, CATALOG, report, { issuesKeys: true })
    expect(problems).toHaveLength(1)
  })
})

describe('a compiled rollout', () => {
  it('has its defaults filled in', () => {
    expect(compiled(rollout('to-1.1', 'pricing'))).toEqual({
      rollouts: [
        {
          id: 'default.to-1.1',
          plugin: 'default.pricing',
          candidate: {
            module: sha('b'),
            moduleName: 'header-policy',
            moduleVersion: '1.1.0',
            configuration: '{"currency":"EUR"}',
          },
          mode: 'enforce',
          key: { type: 'clientIp' },
          steps: [{ weight: 5, pauseMs: 600_000 }],
          onFailure: 'rollback',
        },
      ],
      problems: [],
    })
  })

  it('has everything that was written in the form in which it is run, which a gateway accepts', () => {
    const full = one({
      candidate: { pluginConfig: { b: 1, a: 2 } },
      audience: {
        selector: { matchLabels: { ring: '1', country: 'de' } },
        matches: [{ path: { value: '/shop/' }, headers: [{ name: 'X-Beta', value: '1' }] }],
        always: ['b', 'a', 'b'],
        never: ['c'],
      },
      key: { type: 'cookie', name: 'session' },
      steps: [
        { weight: 0.001, until: 'passes' },
        { weight: 100, pause: '1m', until: 'passes', timeout: '2h' },
      ],
      blackout: [
        { from: '22:30', to: '06:00', days: ['sat', 'sun'], timeZone: 'Europe/Berlin' },
        { from: '00:00', to: '00:01' },
      ],
      analysis: {
        metrics: [
          { name: 'server-errors', maxIncrease: 0.5 },
          { name: 'traps', maxIncrease: 0.2 },
          { name: 'wall-time', maxIncrease: 3 },
          { name: 'plugin-metric', metric: 'denied', maxIncrease: 0.1 },
        ],
        confidence: 99.9,
      },
      onFailure: 'pause',
      deadline: '48h',
    })
    expect(full).toMatchObject({
      candidate: { module: sha('a'), configuration: '{"a":2,"b":1}' },
      selector: { country: 'de', ring: '1' },
      matches: [
        { path: { type: 'PathPrefix', value: '/shop' }, headers: [{ name: 'x-beta', value: '1' }] },
      ],
      always: ['a', 'b'],
      steps: [
        { weight: 0.001, pauseMs: 0, passesWithinMs: 3_600_000 },
        { weight: 100, pauseMs: 60_000, passesWithinMs: 7_200_000 },
      ],
      blackout: [
        { from: 1350, to: 360, days: [0, 6], timeZone: 'Europe/Berlin' },
        { from: 0, to: 1 },
      ],
      analysis: {
        metrics: [
          { name: 'server-errors', maxIncrease: 0.005 },
          { name: 'traps', maxIncrease: 0.002 },
          { name: 'wall-time', maxIncrease: 3 },
          { name: 'plugin-metric', metric: 'denied', maxIncrease: 0.1 },
        ],
        minSamples: 200,
        alpha: 0.001,
      },
      deadlineMs: 172_800_000,
    })
    expect(v.parse(rolloutSchema, full)).toEqual(full)
  })

  it('is the same whatever order the resources are in', () => {
    const [a, b] = [rollout('a', 'pricing'), rollout('b', 'plain')]
    expect(compiled(a, b)).toEqual(compiled(b, a))
  })
})

describe('the steps of a compiled rollout', () => {
  const steps: PluginRollout['spec']['steps'] = [
    { weight: 100, pause: '1h', mode: 'shadow' },
    {
      weight: 100,
      pause: '1h',
      mode: 'enforce',
      selector: { matchLabels: { store: '1', a: 'b' } },
    },
    { weight: 25, pause: '1h', selector: { matchLabels: {} } },
    { weight: 100, pause: '1h' },
  ]

  it('have what differs from the rollout alone, in one order, which a gateway accepts', () => {
    const { rollouts, problems } = compiled(rollout('r', 'pricing', { steps }))
    expect(problems).toEqual([])
    const pauseMs = 3_600_000
    expect(rollouts[0]?.steps).toEqual([
      { weight: 100, pauseMs, mode: 'shadow' },
      { weight: 100, pauseMs, selector: { a: 'b', store: '1' } },
      { weight: 25, pauseMs },
      { weight: 100, pauseMs },
    ])
    expect(v.parse(rolloutSchema, rollouts[0])).toEqual(rollouts[0])
    expect(Object.keys(rollouts[0]?.steps[1]?.selector ?? {})).toEqual(['a', 'store'])
  })

  const on = (ring: string): object => ({ selector: { matchLabels: { ring } } })
  it.each<[string, object[], string]>([
    [
      'a mode that goes back',
      [{ weight: 5 }, { weight: 100, mode: 'shadow' }],
      'config.invalid spec.steps[1].mode: expected enforce or above: step 1 has it, and modes never go back',
    ],
    [
      'a weight that falls',
      [{ weight: 5 }, { weight: 4 }],
      'config.invalid spec.steps[1].weight: changes nothing: in step 1 all its nodes have 5 % in mode enforce; expected more',
    ],
    [
      'a weight that stays',
      [
        { weight: 5, ...on('1') },
        { weight: 50, ...on('2') },
        { weight: 5, ...on('1') },
      ],
      'config.invalid spec.steps[2].weight: changes nothing: in step 1 all its nodes have 5 % in mode enforce; expected more',
    ],
    [
      'nodes that have as much already',
      [{ weight: 25 }, { weight: 25, ...on('1') }],
      'config.invalid spec.steps[1].weight: changes nothing: in step 1 all its nodes have 25 % in mode enforce; expected more',
    ],
    [
      'a weight of nothing',
      [{ weight: 0 }],
      'config.invalid spec.steps[0].weight: expected a weight above 0: a step at 0 changes nothing',
    ],
    [
      'nodes that are none of the audience',
      [{ weight: 5, selector: { matchLabels: { country: 'fr' } } }],
      'config.invalid spec.steps[0].selector.matchLabels.country: is for no node: the audience is nodes with country=de',
    ],
  ])('are refused with %s', (_, list, message) => {
    const audience = { selector: { matchLabels: { country: 'de' } } }
    const all = list.map((step) => ({ pause: '1h', ...step })) as unknown as typeof steps
    expect(compiled(rollout('r', 'pricing', { audience, steps: all })).problems).toEqual([message])
  })

  it('says so of a key that is always and never in', () => {
    const audience = { always: ['till-1', 'till-2'], never: ['till-2'] }
    expect(compiled(rollout('r', 'pricing', { audience })).problems).toEqual([
      'config.no_effect spec.audience.always: "till-2" has no effect: it is in never, too, which counts before it',
    ])
  })

  it('may be log-only, with calls that are blocked, which is idle where none is', () => {
    const logOnly = { callouts: 'block' as const }
    const list = [
      { weight: 100, pause: '1h', mode: 'shadow' as const },
      { weight: 50, pause: '1h', mode: 'log-only' as const },
      { weight: 5, pause: '1h' },
    ]
    const { rollouts, problems } = compiled(rollout('r', 'pricing', { steps: list, logOnly }))
    expect(problems).toEqual([])
    expect(rollouts[0]).toMatchObject({ logOnly, steps: [{}, { mode: 'log-only' }, {}] })
    expect(v.parse(rolloutSchema, rollouts[0])).toEqual(rollouts[0])
    expect(compiled(rollout('r', 'pricing', { logOnly })).problems).toEqual([
      'config.no_effect spec.logOnly: has no effect: no step is in mode log-only',
    ])
  })

  it('may give some nodes less than all have, in another mode, and all more than some', () => {
    const list = [
      { weight: 100, pause: '1h', mode: 'shadow' as const },
      { weight: 5, pause: '1h', ...on('1') },
      { weight: 3, pause: '1h' },
      { weight: 6, pause: '1h', ...on('1') },
    ] as unknown as typeof steps
    expect(compiled(rollout('r', 'pricing', { steps: list })).problems).toEqual([])
  })
})

describe('what is wrong with a rollout', () => {
  it('is a plugin that is not there', () => {
    expect(compiled(rollout('r', 'pricng')).problems).toEqual([
      'config.dangling_reference spec.targetRef.name: there is no WasmPlugin pricng in namespace default; did you mean pricing?',
    ])
  })

  it('is a plugin that has one already', () => {
    expect(compiled(rollout('a', 'pricing'), rollout('b', 'pricing')).problems).toEqual([
      'config.duplicate spec.targetRef.name: PluginRollout default/a is for this plugin already; a plugin has one rollout',
    ])
  })

  it('is a singleton', () => {
    expect(compiled(rollout('a', 'alone')).problems[0]).toMatch(/^config\.unsupported .*singleton/)
  })

  it('is a shadow of a log-only plugin', () => {
    const { rollouts, problems } = compiled(rollout('a', 'trial', { mode: 'shadow' }))
    expect(rollouts).toEqual([])
    expect(problems[0]).toMatch(/^config\.unsupported spec\.targetRef\.name: .*log-only.*shadow/)
    expect(compiled(rollout('a', 'trial', { mode: 'enforce' })).rollouts).toHaveLength(1)
    const steps = [{ weight: 5, pause: '1h', mode: 'shadow' as const }]
    expect(compiled(rollout('a', 'trial', { steps })).problems).toEqual(problems)
  })

  it('is a comparison by what cannot be counted apart: plugins that share a vm share its linking', () => {
    const by = (...names: readonly ('traps' | 'host-calls')[]): Partial<PluginRollout['spec']> => ({
      analysis: { metrics: names.map((name) => ({ name, maxIncrease: 1 })) },
    })
    expect(compiled(rollout('a', 'shared', by('traps', 'host-calls'))).problems).toEqual([
      expect.stringMatching(
        /^config\.unsupported spec\.analysis\.metrics\[1\]\.name: host-calls of a plugin with shareVm/,
      ),
    ])
    expect(compiled(rollout('a', 'pricing', by('host-calls'))).problems).toEqual([])
  })

  it('is a module that nobody knows', () => {
    const candidate = { url: 'oci://registry.test/header-policy:9.9.9' }
    const { rollouts, problems } = compiled(rollout('a', 'pricing', { candidate }))
    expect(rollouts).toEqual([])
    expect(problems[0]).toMatch(/^config\.module_unknown spec\.candidate\.url/)
  })

  it('is a regular expression that is not one', () => {
    const audience = { matches: [{ path: { type: 'RegularExpression' as const, value: '(' } }] }
    expect(compiled(rollout('a', 'pricing', { audience })).problems[0]).toMatch(
      /^config\.invalid spec\.audience\.matches\[0\]\.path\.value: expected a regular expression/,
    )
  })

  it('is a deadline that no run could meet', () => {
    const steps = [
      { weight: 1, pause: '1h' },
      { weight: 100, pause: '30m' },
    ]
    const { problems } = compiled(rollout('r', 'pricing', { steps, deadline: '90m' }))
    expect(problems).toEqual([
      'config.invalid spec.deadline: expected more than the pauses of its steps, 5400s in all: no run could come to its end',
    ])
    expect(compiled(rollout('r', 'pricing', { steps, deadline: '91m' })).problems).toEqual([])
  })

  it('is, as a warning, a candidate that runs already', () => {
    const candidate = { pluginConfig: { currency: 'EUR' } }
    expect(compiled(rollout('a', 'pricing', { candidate })).problems[0]).toMatch(
      /^config\.no_effect/,
    )
  })
})
