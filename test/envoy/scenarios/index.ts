/** All scenarios. */
import type { Scenario } from '../scenario.ts'
import { BODIES } from './bodies.ts'
import { CALLOUTS } from './callouts.ts'
import { CHAINS } from './chains.ts'
import { CONTEXTS } from './contexts.ts'
import { FLOW } from './flow.ts'
import { HEADERS } from './headers.ts'
import { ODDITIES } from './odd.ts'
import { CALLS } from './phases.ts'
import { PROPERTIES } from './properties.ts'
import { REPLIES } from './replies.ts'
import { SHARED } from './shared-state.ts'
import { SHIPPED } from './shipped.ts'
import { TRAPS } from './traps.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...HEADERS,
  ...CALLS,
  ...FLOW,
  ...BODIES,
  ...REPLIES,
  ...CHAINS,
  ...CALLOUTS,
  ...SHARED,
  ...TRAPS,
  ...PROPERTIES,
  ...CONTEXTS,
  ...ODDITIES,
  ...SHIPPED,
]
