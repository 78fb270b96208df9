/** An explanation as text: where a request goes and why, what it runs through, what each plugin did. */
import type { ExplanationAnswer, RunAnswer, StepAnswer } from './explanation-answer.ts'
import { count, formatTable } from './print.ts'

/** Matches printed one by one; `--json` has them all. */
const CANDIDATES = 20
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical']

export function formatExplanation(answer: ExplanationAnswer): string {
  const { request, revision, gateway, run } = answer
  const place = gateway === null ? 'no listener has this host' : `Gateway ${gateway}`
  return [
    `${request.method} ${request.url}\nrevision ${revision}, ${place}\n\n`,
    route(answer),
    previews(answer),
    chain(answer),
    skipped(answer),
    candidates(answer),
    ...(run === undefined ? [] : [runText(run)]),
  ].join('')
}

function route({ route, backends, filters }: ExplanationAnswer): string {
  if (route === null) return 'No route takes it: 404 route.none, behind the plugins below.\n'
  const lines = [`route ${route.name}, rule ${route.rule}: ${route.match}\n`]
  const rows = backends.map(({ upstream, to, percent, ejected }) => [
    `  to ${upstream}`,
    to,
    `${percent} %`,
    ejected ? 'ejected for now' : '',
  ])
  if (rows.length > 0) lines.push(formatTable(rows))
  for (const [name, value] of Object.entries(filters)) {
    lines.push(`  ${name}: ${JSON.stringify(value)}\n`)
  }
  return lines.join('')
}

function previews({ previews }: ExplanationAnswer): string {
  if (previews === undefined) return ''
  const { good, ignored } = previews
  const lines = good.map(
    ({ rollout, side, until }) => `preview: the ${side} side of ${rollout} until ${until}\n`,
  )
  if (ignored > 0) {
    lines.push(
      `${count(ignored, 'preview token')} without effect: over, changed, or of another gateway\n`,
    )
  }
  return `\n${lines.join('')}`
}

function chain({ chain }: ExplanationAnswer): string {
  if (chain.length === 0) return '\nIt runs through no plugin.\n'
  const rows = chain.map((one) => [
    one.plugin,
    one.module || one.sha256.slice(0, 12),
    one.phase,
    String(one.priority),
    one.mode,
    one.state,
    one.lastError ?? '',
  ])
  const heads = ['RUNS THROUGH', 'MODULE', 'PHASE', 'PRIORITY', 'MODE', 'STATE', 'LAST ERROR']
  return `\n${formatTable([heads, ...rows])}`
}

function skipped({ skipped }: ExplanationAnswer): string {
  const rows = skipped.map(({ plugin, why }) => [plugin, why])
  return rows.length === 0 ? '' : `\n${formatTable([['NOT THROUGH', 'WHY'], ...rows])}`
}

function candidates({ candidates, more }: ExplanationAnswer): string {
  const others = candidates.filter(({ failed }) => failed !== undefined)
  const rows = others
    .slice(0, CANDIDATES)
    .map(({ route, rule, hostname, match, failed = '' }) => [
      route,
      String(rule),
      hostname,
      match,
      failed,
    ])
  if (rows.length === 0) return ''
  const rest = others.length - rows.length + more
  const text = formatTable([['NOT THIS ROUTE', 'RULE', 'HOST', 'MATCH', 'WHY'], ...rows])
  return `\n${text}${rest > 0 ? `and ${rest} more; --json has up to 200\n` : ''}`
}

function runText({ steps, logs, asked, response }: RunAnswer): string {
  const left = asked.some(({ answered }) => answered !== undefined)
  const how = left
    ? 'The run, with the real upstreams'
    : 'The run; nothing left the gateway, and the upstream stood in with an empty 200'
  return [
    `\n${how}:\n`,
    ...logs.map(({ plugin, level, message }) => `  ${plugin} [${LEVELS[level]}] ${message}\n`),
    ...steps.map((step) => stepText(step)),
    ...asked.map(
      ({ who, method, url, answered = 'not sent' }) =>
        `  ${who === 'plugin' ? 'callout' : 'upstream'} ${method} ${url}: ${answered}\n`,
    ),
    `  answer ${response.status}, ${count(response.bytes, 'byte')}\n`,
    ...response.headers.map(([name, value]) => `    ${name}: ${value}\n`),
    ...(response.text === '' ? [] : [`\n${response.text}\n`]),
  ].join('')
}

function stepText(step: StepAnswer): string {
  const { plugin, callback, returned, body, trapped, logs } = step
  const lines = [`${plugin}, ${callback}${returned === 'pause' ? ': pauses' : ''}`]
  for (const [name, changes] of [
    ['request', step.requestHeaders],
    ['response', step.responseHeaders],
  ] as const) {
    for (const { name: header, before, after } of changes) {
      const value =
        before === undefined
          ? `+ ${header}: ${after?.join(', ')}`
          : after === undefined
            ? `- ${header}`
            : `~ ${header}: ${before.join(', ')} → ${after.join(', ')}`
      lines.push(`  ${name} ${value}`)
    }
  }
  if (body !== undefined) lines.push(`  body ${body.before} → ${count(body.after, 'byte')}`)
  if (step.replied) lines.push('  answers in place of the upstream')
  if (trapped !== undefined) lines.push(`  traps: ${trapped}`)
  for (const { level, message } of logs) lines.push(`  [${LEVELS[level]}] ${message}`)
  return lines.map((text) => `  ${text}\n`).join('')
}
