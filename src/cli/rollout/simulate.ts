/**
 * `postern rollout simulate`: plays recorded or generated requests through both versions here, before the
 * first step, and says what the candidate would change.
 */
import { join } from 'node:path'
import type { Snapshot } from '../../config/snapshot.ts'
import type { SnapshotRollout } from '../../config/snapshot-rollout.ts'
import { Tally } from '../../simulate/tally.ts'
import type { RecordedExchange } from '../../simulate/traffic/exchange.ts'
import { TrafficGenerator } from '../../simulate/traffic/generate.ts'
import { type CheckedPolicy, checkPolicy } from '../check-policy.ts'
import type { CliIo } from '../cli-io.ts'
import { CommandError } from '../command-error.ts'
import { readPluginModules } from '../plugin-modules.ts'
import { refusedBy } from '../policy-files.ts'
import { printProblems } from '../print.ts'
import { rootNamespace } from '../root-namespace.ts'
import { formatSimulation } from '../simulate/print-simulation.ts'
import { readCalloutFiles, readTraffic } from '../simulate/read-traffic.ts'
import {
  SIMULATE_HELP,
  simulateOptions,
  type SimulateOptions,
} from '../simulate/simulate-options.ts'
import { SimulationThread } from '../simulate/simulation-thread.ts'
import type { VersionNotStarted } from '../simulate/worker-messages.ts'
import type { Subcommand } from './subcommand.ts'

const DIFFERENT = 3
/** After so many requests that did not come back the rest is not played: each of them takes its time. */
const LOST_MAX = 3
const PROGRESS_MS = 500

export const simulate: Subcommand = {
  name: 'simulate',
  operands: 'NAME',
  about: 'what the candidate would change, before step one',
  details: `
Plays requests through the routes of a policy here, once with the stable version of the plugin and
once with the candidate, and compares what upstream and client would get. Nothing leaves: upstreams
and callouts are answered from the recording. It needs no gateway.`,
  options: SIMULATE_HELP,
  exitCodes: `${DIFFERENT} they differ`,
  offline: true,
  async run(args, io) {
    const options = simulateOptions(args)
    const { snapshot, rollout, files } = await prepared(options, io)
    const { exchanges, leftOut } = await readTraffic(io.cwd, options.traffic)
    for (const [what, number] of leftOut) io.stderr(`Left out: ${number} requests for ${what}.\n`)
    const generator = new TrafficGenerator(snapshot, rollout, options.seed, options.headers)
    const callouts = await readCalloutFiles(io.cwd, options.callouts)
    const { decisions } = snapshot.plugins[rollout.plugin] ?? {}
    const shown = { show: options.show, mask: new Set(decisions?.mask) }
    const tally = new Tally(rollout, options.samples, shown)
    const nodeLabels = {
      ...snapshot.plugins[rollout.plugin]?.selector,
      ...rollout.selector,
      ...options.labels,
    }
    const { seed, timeoutMs } = options
    const setup = { snapshot, rollout, files, nodeLabels, callouts, seed, epoch: Date.now() }
    const thread = new SimulationThread(setup, timeoutMs)
    try {
      await playAll(thread, traffic(exchanges, generator, options.generate), tally, {
        io,
        all: exchanges.length + options.generate,
      })
    } finally {
      await thread.close()
    }
    for (const match of generator.unreached) {
      io.stderr(`No request could be made for ${match}: other matches take them.\n`)
    }
    return told(tally, options, io)
  },
}

interface Prepared {
  readonly snapshot: Snapshot
  readonly rollout: SnapshotRollout
  /** Modules that the policy refers to, by sha256. */
  readonly files: ReadonlyMap<string, string>
}

/** @throws CommandError for a policy that is not sound, or has no such rollout */
async function prepared(options: SimulateOptions, io: CliIo): Promise<Prepared> {
  const { files: paths, name, json, rootNamespace: named } = options
  const root = await rootNamespace(named, io)
  const checked = await checkPolicy(paths, false, root, io)
  const snapshot = soundSnapshot(checked)
  if (!json) printProblems(io, checked.problems)
  const rollouts = snapshot.rollouts ?? []
  const rollout = rollouts.find(({ id }) => id === name)
  if (rollout === undefined) {
    const names = rollouts.map(({ id }) => id).join(', ')
    const there = names === '' ? 'there are none' : `there are ${names}`
    throw new CommandError(
      'rollout.unknown',
      `${name} is no PluginRollout of these files; ${there}`,
    )
  }
  const folder = join(io.cwd, 'plugins')
  const modules = await readPluginModules(folder).catch((error: unknown) => {
    throw new CommandError(
      'cli.module_refused',
      error instanceof Error ? error.message : `${error}`,
    )
  })
  const files = new Map<string, string>()
  for (const { name: plugin, versions } of modules) {
    for (const { sha256, file } of versions) files.set(sha256, join(folder, plugin, file))
  }
  const used = new Set(Object.values(snapshot.plugins).map(({ module }) => module))
  used.add(rollout.candidate.module)
  return { snapshot, rollout, files: new Map([...files].filter(([sha256]) => used.has(sha256))) }
}

function soundSnapshot({ snapshot, problems, modulesChecked }: CheckedPolicy): Snapshot {
  if (snapshot === undefined) throw refusedBy(problems, 'Nothing was played')
  if (modulesChecked) return snapshot
  throw new CommandError('cli.file_missing', 'There is no plugins/ here, which has the modules')
}

function* traffic(
  recorded: readonly RecordedExchange[],
  generator: TrafficGenerator,
  generate: number,
): Generator<RecordedExchange, void, void> {
  yield* recorded
  for (let number = 1; number <= generate; number++) {
    const made = generator.make(number)
    if (made !== undefined) yield made.exchange
  }
}

/** @throws CommandError `simulate.not_started` */
async function playAll(
  thread: SimulationThread,
  exchanges: Iterable<RecordedExchange>,
  tally: Tally,
  { io, all }: { readonly io: CliIo; readonly all: number },
): Promise<void> {
  await begun(thread)
  let number = 0
  let told = Date.now()
  for (const exchange of exchanges) {
    const played = await thread.play(exchange)
    tally.add(exchange, played)
    number++
    if (io.progress !== undefined && Date.now() - told > PROGRESS_MS) {
      told = Date.now()
      io.progress(`${number} of ${all} requests`)
    }
    if (played.kind !== 'lost') continue
    if (tally.lost >= LOST_MAX) {
      io.stderr(`${LOST_MAX} requests did not come back: the rest was not played.\n`)
      break
    }
    io.stderr(`${exchange.place} did not come back: both versions begin anew.\n`)
    await begun(thread)
  }
  io.progress?.('')
}

async function begun(thread: SimulationThread): Promise<void> {
  const failed = await thread.start()
  if (failed !== undefined) throw notStarted(failed, thread.modulesLost)
}

function notStarted(
  { side, reason, logs }: VersionNotStarted,
  modulesLost: readonly string[],
): CommandError {
  const who = side === 'stable' ? 'The stable version' : 'The candidate'
  const message = [`${who} does not start: ${reason}`, ...logs, ...modulesLost].join('\n    ')
  return new CommandError('simulate.not_started', message, { details: { side, logs } })
}

/** @throws CommandError `simulate.no_audience` where nothing was compared, which says nothing */
function told(tally: Tally, { json, failOn }: SimulateOptions, io: CliIo): number {
  const report = tally.report()
  if (tally.compared === 0) {
    if (!json) io.stderr(formatSimulation(report).split('\n\n', 1)[0] + '\n')
    const message = `None of ${report.requests} requests is one that the rollout is for`
    throw new CommandError('simulate.no_audience', message, { details: { report } })
  }
  io.stdout(
    json ? `${JSON.stringify({ ok: true, ...report }, null, 2)}\n` : formatSimulation(report),
  )
  return tally.has(failOn) ? DIFFERENT : 0
}
