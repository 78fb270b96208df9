/** What can be wrong with plugins and modules of a revision whose snapshot is sound. */
import type { State } from './state.ts'
import { marking, NOWHERE, type World } from './world.ts'

/** The revision is live, and the plugin runs as it did before. */
const LAST_GOOD = { warm: { serves: 'good', live: true }, cold: 'good' } as const

const script = (steps: object): { vmConfig: object } => ({
  vmConfig: { env: [{ name: 'PROBE', value: JSON.stringify({ steps, quiet: true }) }] },
})

const refusing = (what: string, code: string, steps: object, spec: object = {}): State => ({
  what,
  arrange: (world) => world.pointPlugins(marking('mark', 'next', steps, spec)),
  code,
  ...LAST_GOOD,
})

/** The next snapshot with other modules than those that are bound. */
async function withoutModules(world: World): Promise<void> {
  await world.pointAltered((snapshot) => ({
    ...snapshot,
    plugins: Object.fromEntries(
      Object.entries(snapshot.plugins).map(([id, plugin]) => [id, { ...plugin, module: NOWHERE }]),
    ),
  }))
}

export const PLUGIN_STATES: readonly State[] = [
  refusing('one that says no to its configuration', 'plugin.configure_refused', {
    configure: [{ call: 'return_false' }],
  }),
  refusing('one that traps over its configuration', 'plugin.start_failed', {
    configure: [{ call: 'trap', kind: 'unreachable' }],
  }),
  refusing(
    'one that says no when its vm starts',
    'plugin.vm_start_refused',
    {},
    script({ vm_start: [{ call: 'return_false' }] }),
  ),
  refusing(
    'one that traps when its vm starts',
    'plugin.start_failed',
    {},
    script({ initialize: [{ call: 'trap', kind: 'out_of_bounds' }] }),
  ),
  {
    what: 'one whose module was not deployed',
    arrange: withoutModules,
    code: 'module.not_bound',
    ...LAST_GOOD,
  },
  {
    what: 'one of two that says no: the other goes live',
    arrange: (world) =>
      world.pointPlugins(
        marking('mark', 'next', { configure: [{ call: 'return_false' }] }),
        marking('other', 'new'),
      ),
    code: 'plugin.configure_refused',
    ...LAST_GOOD,
    marks: { 'x-other': 'new' },
  },
  {
    what: 'a new one that says no, under FAIL_OPEN: the others go live',
    arrange: (world) =>
      world.pointPlugins(
        marking('mark', 'next'),
        marking(
          'other',
          'new',
          { configure: [{ call: 'return_false' }] },
          { failStrategy: 'FAIL_OPEN' },
        ),
      ),
    code: 'plugin.configure_refused',
    warm: { serves: 'next', live: true },
    cold: 'next',
    marks: { 'x-other': undefined },
  },
]
