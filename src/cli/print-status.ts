/** What a gateway runs, as tables: itself, its nodes, what is refused, its plugins. */
import type { StatusAnswer } from './gateway-client.ts'
import type { NodeAnswer } from './node-answer.ts'
import { count, formatTable } from './print.ts'

/** @param now - milliseconds since the Unix epoch, for ages */
export function formatStatus(name: string, answer: StatusAnswer, now: number): string {
  const { revision, snapshot, issuedAt, origin, pending } = answer
  const numbered = revision === 0 ? `the ${origin} snapshot` : `revision ${revision}`
  const runs = origin === 'none' ? 'nothing: it has no configuration' : numbered
  const lines = [`${name} runs ${runs}${issuedAt ? `, issued ${issuedAt}` : ''}\n`]
  if (snapshot) lines.push(`snapshot ${snapshot}\n`)
  if (pending) lines.push(`revision ${pending.revision} is coming: its snapshot is not there yet\n`)
  return [
    ...lines,
    nodes(answer, now),
    refused(answer),
    lastGood(answer),
    plugins(answer),
    earlier(answer),
  ].join('')
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${formatTable([heads, ...rows])}`
}

function nodes({ nodes, hub }: StatusAnswer, now: number): string {
  if (hub)
    return `\nThis is one isolate alone; its node reports to ${hub}, which shows all nodes.\n`
  if (nodes === null) return '\nThe reports of nodes cannot be had: this is one isolate alone.\n'
  const rows = nodes.map((node) => [
    node.node,
    node.state,
    node.revision === 0 ? '-' : String(node.revision),
    behind(node),
    String(node.count),
    age(now - Date.parse(node.seenAt)),
    Object.entries(node.labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
  ])
  const heads = ['NODE', 'STATE', 'REVISION', 'BEHIND', 'ISOLATES', 'LAST REPORT', 'LABELS']
  return table(heads, rows)
}

function behind({ behind }: NodeAnswer): string {
  if (behind === null) return '-'
  return `${count(behind.revisions, 'revision')}, ${duration(behind.seconds)}`
}

/** What is refused now, wherever. What this isolate says is said once more by its node, later. */
function refused({ nodes, refused }: StatusAnswer): string {
  const all = (nodes ?? []).flatMap((node) =>
    node.refused.map((one) => ({ ...one, where: `${node.node} (${one.isolates ?? 1})` })),
  )
  const told = new Set(all.map(({ code, revision }) => `${code} ${revision}`))
  const own = refused.flatMap((one) =>
    told.has(`${one.code} ${one.revision}`) ? [] : [{ ...one, where: 'here' }],
  )
  const rows = [...own, ...all].map(({ at, where, revision, code, message }) => [
    at,
    where,
    revision === 0 ? '-' : String(revision),
    code,
    message,
  ])
  return table(['REFUSED AT', 'NODE', 'REVISION', 'CODE', 'WHY'], rows)
}

function lastGood({ nodes }: StatusAnswer): string {
  const rows = (nodes ?? []).flatMap((node) =>
    node.plugins.map(({ plugin, state, reason, isolates }) => [
      plugin,
      `${node.node} (${isolates})`,
      state === 'last-good' ? 'the version before' : 'nothing',
      reason,
    ]),
  )
  return table(['PLUGIN NOT UP', 'NODE', 'RUNS INSTEAD', 'WHY'], rows)
}

function plugins({ plugins }: StatusAnswer): string {
  const rows = plugins.map((plugin) => [
    plugin.id,
    [plugin.moduleName, plugin.moduleVersion].filter(Boolean).join(' '),
    plugin.module.slice(0, 12),
    plugin.vm,
    plugin.lastError ?? '',
  ])
  return table(['PLUGIN', 'MODULE', 'SHA256', 'VM', 'LAST ERROR'], rows)
}

/** What this isolate refused before and does not any more. */
function earlier({ refusals, refused }: StatusAnswer): string {
  const now = new Set(refused.map(({ code, at, plugin }) => `${code} ${at} ${plugin ?? ''}`))
  const rows = refusals
    .filter(({ code, at, plugin }) => !now.has(`${code} ${at} ${plugin ?? ''}`))
    .map(({ at, revision, code, message }) => [
      at,
      revision === 0 ? '-' : String(revision),
      code,
      message,
    ])
  return table(['EARLIER', 'REVISION', 'CODE', 'WHY'], rows)
}

function age(ms: number): string {
  return `${duration(Math.max(0, Math.round(ms / 1000)))} ago`
}

/** `95 s`, `3 min`, `5 h`. */
function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}
