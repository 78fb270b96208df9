/**
 * `npm run compare:envoy`: the same modules, configuration, requests and upstreams through a real Envoy
 * and through Postern in workerd. Every difference is documented or fails the run.
 */
import { parseArgs } from 'node:util'
import { compare } from './compare.ts'
import { type Peer, startEnvoy, startPostern } from './gateways.ts'
import { installEnvoy } from './install.ts'
import { documentedIds, judge, strayExpectations, type Verdict } from './known.ts'
import { type Observed, play } from './play.ts'
import { isUnexplained, json, text } from './report.ts'
import { type Numbered, numbered } from './scenario.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { startUpstreams, type Upstreams } from './upstreams.ts'

/** Scenarios that are under way at once. */
const AT_ONCE = 8
const NOTHING: Observed = { refused: false, crashed: false, replies: [], received: [], log: [] }

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  })
  const names = new Set(SCENARIOS.map(({ name }) => name))
  const stray = strayExpectations(names)
  if (names.size < SCENARIOS.length) throw new Error('two scenarios have one name')
  if (stray.length > 0) throw new Error(`expectations of no scenario: ${stray.join(', ')}`)
  const scenarios = numbered(SCENARIOS.filter(({ name }) => name.includes(values.only ?? '')))
  if (scenarios.length === 0) throw new Error(`no scenario has "${values.only}" in its name`)
  const envoy = await installEnvoy()
  if ('missing' in envoy) {
    const why = `Envoy cannot be installed here: ${envoy.missing}`
    console.log(values.json ? JSON.stringify({ result: 'skipped', why }) : `skipped: ${why}`)
    return
  }
  const started = Date.now()
  const upstreams = await startUpstreams(scenarios)
  const verdicts = await compareAll(envoy.path, scenarios, upstreams).finally(() =>
    upstreams.stop(),
  )
  const seconds = Math.round((Date.now() - started) / 100) / 10
  const report = values.json
    ? json(verdicts, { envoy: envoy.version, seconds })
    : `${text(verdicts, values.verbose)} (Envoy ${envoy.version}, ${seconds} s)`
  // connections that broken scenarios have left open must not keep the process
  const code = verdicts.some(isUnexplained) ? 1 : 0
  process.stdout.write(`${report}\n`, () => process.exit(code))
}

async function compareAll(
  path: string,
  scenarios: readonly Numbered[],
  upstreams: Upstreams,
): Promise<Verdict[]> {
  const documented = documentedIds()
  const postern = await startPostern(scenarios, upstreams)
  const theirs = new Map<Numbered, Observed>()
  const ours = new Map<Numbered, Observed>()
  try {
    const together = scenarios.filter(({ alone }) => alone !== true)
    for (const batch of [together, ...scenarios.flatMap((one) => (one.alone ? [[one]] : []))]) {
      const envoy = await startEnvoy(path, batch, upstreams)
      await playAll(envoy, batch, upstreams, theirs).finally(() => envoy.stop())
      // what roots say when they end comes last
      for (const [scenario, observed] of theirs) {
        if (batch.includes(scenario)) theirs.set(scenario, withLog(observed, envoy, scenario))
      }
      if (envoy.crashed() && batch === together) throw new Error(crash(envoy, batch))
    }
    await playAll(postern, scenarios, upstreams, ours)
  } finally {
    await postern.stop()
  }
  return scenarios.map((scenario) => {
    const a = theirs.get(scenario) ?? NOTHING
    const b = withLog(ours.get(scenario) ?? NOTHING, postern, scenario)
    return judge(scenario, compare(scenario, a, b), documented)
  })
}

async function playAll(
  peer: Peer,
  scenarios: readonly Numbered[],
  upstreams: Upstreams,
  seen: Map<Numbered, Observed>,
): Promise<void> {
  const waiting = [...scenarios]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const origin = upstreams.origins.get(next.id)
      if (origin === undefined) continue
      seen.set(next, await play(peer, next, origin))
      // it was well until this one, or one beside it
      if (peer.crashed()) return
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function withLog(observed: Observed, peer: Peer, { id }: Numbered): Observed {
  return { ...observed, log: peer.journal.entries(id) }
}

function crash({ journal }: Peer, scenarios: readonly Numbered[]): string {
  const host = /':authority', '(s\d+)\.test'/.exec(journal.text)?.[1]
  const name = scenarios.find(({ id }) => id === host)?.name ?? 'some scenario'
  return `Envoy has crashed at ${name}, which must be \`alone\`:\n${journal.text.slice(-2000)}`
}

await main()
