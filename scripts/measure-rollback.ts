/**
 * `npm run measure:rollback`: from the verdict to the last isolate that serves the candidate, over real
 * workerd: a hub and a store that reports to it, while KV shows what becomes of rollouts late or never.
 * Writes its table into docs/ROLLOUT.md with --write; --interval 1,5 and --late 30,never say which rows.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { rollbackStage, type Stage } from './rollback-stage.ts'

const PAGE = join(import.meta.dirname, '../docs/ROLLOUT.md')
const ROW = /^\| (abort|analysis) \|.*$/gm
const HEAD = `| rolled back by | reports every | KV shows it | rollbacks | median | 95 of 100 | longest | in report intervals |
|---|---|---|---|---|---|---|---|`
const PATIENCE_MS = 60_000
const LOOK_MS = 50

const { values } = parseArgs({
  options: {
    interval: { type: 'string', default: '1,5' },
    late: { type: 'string', default: '30,never' },
    rollbacks: { type: 'string', default: '20' },
    beside: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
})
const rollbacks = Number(values.rollbacks)
/** How many rollouts of each kind go on side by side. */
const beside = Number(values.beside)

type Way = 'abort' | 'analysis'

for (const interval of values.interval.split(',').map(Number)) {
  for (const late of values.late.split(',')) {
    for (const row of await measured(interval, late)) {
      console.log(row)
      if (values.write) keep(row)
    }
  }
}

/** @returns the rows of one line of the experiment */
async function measured(interval: number, late: string): Promise<string[]> {
  const names = (way: Way): string[] => Array.from({ length: beside }, (_, i) => `${way}-${i}`)
  const lateMs = late === 'never' ? Infinity : Number(late) * 1000
  const stage = await rollbackStage([...names('abort'), ...names('analysis')], interval, lateMs)
  try {
    const of = async (way: Way): Promise<string> => {
      const rounds = Math.ceil(rollbacks / beside)
      const all = await Promise.all(
        names(way).map((name) => several(stage, name, way, interval, rounds)),
      )
      return rowOf(way, interval, late, all.flat())
    }
    return await Promise.all([of('abort'), of('analysis')])
  } finally {
    await stage.stop()
  }
}

async function several(
  stage: Stage,
  name: string,
  way: Way,
  interval: number,
  rounds: number,
): Promise<number[]> {
  const found: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    // not in step with the reports, nor with each other
    await pause(Math.random() * interval * 1000)
    await stage.act(name, 'start')
    await until(`${name} on every isolate`, () => stage.seen(name).every(({ now }) => now))
    if (way === 'abort') await stage.act(name, 'abort')
    else stage.worsen(name, true)
    let at: number | undefined
    await until(`the verdict on ${name}`, async () => {
      at = await stage.rolledBackAt(name)
      return at !== undefined
    })
    await until(`${name} on no isolate`, () => stage.seen(name).every(({ now }) => !now))
    const last = Math.max(...stage.seen(name).map(({ lastAt }) => lastAt))
    found.push(Math.max(0, last - (at ?? 0)) / 1000)
    stage.worsen(name, false)
  }
  return found
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await pause(LOOK_MS)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function rowOf(way: Way, interval: number, late: string, seconds: readonly number[]): string {
  const sorted = seconds.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
  const [median, most, longest] = [at(0.5), at(0.95), at(1)]
  const intervals = [median, most, longest].map((one) => (one / interval).toFixed(1)).join(', ')
  const shown = late === 'never' ? 'never' : `${late} s late`
  const cells = [
    way,
    `${interval} s`,
    shown,
    seconds.length,
    ...[median, most, longest].map(text),
    intervals,
  ]
  return `| ${cells.join(' | ')} |`
}

function text(seconds: number): string {
  return `${seconds.toFixed(1)} s`
}

/** A row takes the place of the one that was measured the same way. */
function keep(row: string): void {
  const marker = /<!-- rollback -->.*?<!-- \/rollback -->/s
  const page = readFileSync(PAGE, 'utf8')
  const known = marker.exec(page)?.[0]
  if (known === undefined) throw new Error('docs/ROLLOUT.md has no place for the table')
  const what = (one: string): string => one.split(' | ').slice(0, 3).join(' | ')
  const rows = [...(known.match(ROW) ?? []).filter((one) => what(one) !== what(row)), row].sort()
  const table = `<!-- rollback -->\n\n${HEAD}\n${rows.join('\n')}\n\n<!-- /rollback -->`
  writeFileSync(PAGE, page.replace(marker, table))
}
