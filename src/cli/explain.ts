/**
 * `postern explain --url …`: which route of a gateway takes a request and why no other one does, which
 * plugins it goes through, and with --run what each of them does to it.
 */
import { parseArgs } from 'node:util'
import type { CliIo } from './cli-io.ts'
import { CommandError } from './command-error.ts'
import { gatewayClient, GATEWAY_HELP } from './gateway-options.ts'
import { formatExplanation } from './print-explanation.ts'

const NO_ROUTE = 3

const HELP = `postern explain --url URL [options]

Says what becomes of a request: which route takes it and why the others do not, through which
plugins it goes and why not through the others, and where to. The gateway is asked; the
request is not sent.

  --url URL          the request's, with the host that routes are matched by
  --method METHOD    (default: GET, POST with --data)
  --header 'N: V'    a header of the request; may be given several times
  --data BODY        its body
  --at REVISION      as an older revision would have it
  --run              run the request through the plugins, in vms of its own with empty shared
                     data: what each of them changes. Nothing leaves the gateway: the upstream is
                     an empty 200, callouts fail
  --upstream         with --run: upstream and callouts are really asked; needs a token that writes
  --show-secrets     do not mask authorization, cookies and the like; needs a token that writes
${GATEWAY_HELP}
  --json             print the gateway's answer as JSON
  --help

Exit codes: 0 a route takes it, 1 there is no explanation, 2 called wrongly, ${NO_ROUTE} no route takes it.
`

/**
 * @param args after `explain`
 * @returns the exit code
 */
export async function explain(args: string[], io: CliIo): Promise<number> {
  const options = parse(args)
  if (options.help) {
    io.stdout(HELP)
    return 0
  }
  const { url, data, run = false, upstream = false } = options
  if (url === undefined) throw new CommandError('cli.usage', '--url is missing')
  if (upstream && !run) throw new CommandError('cli.usage', '--upstream is for --run')
  const gateway = await gatewayClient(options, io)
  const answer = await gateway.explain({
    url,
    method: options.method ?? (data === undefined ? 'GET' : 'POST'),
    headers: (options.header ?? []).map((line) => headerOf(line)),
    ...(data === undefined ? {} : { body: data }),
    ...(options.at === undefined ? {} : { at: revisionOf(options.at) }),
    run,
    upstream,
    showSecrets: options['show-secrets'] ?? false,
  })
  const json = (): string => `${JSON.stringify({ ok: true, ...answer }, null, 2)}\n`
  io.stdout(options.json ? json() : formatExplanation(answer))
  return answer.route === null ? NO_ROUTE : 0
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new CommandError('cli.usage', `--header ${line} is not 'Name: value'`)
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

function revisionOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new CommandError('cli.usage', `--at ${text} is no number of a revision`)
  }
  return Number(text)
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- parseArgs infers the values
function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        gateway: { type: 'string' },
        token: { type: 'string' },
        url: { type: 'string' },
        method: { type: 'string' },
        header: { type: 'string', multiple: true },
        data: { type: 'string' },
        at: { type: 'string' },
        run: { type: 'boolean' },
        upstream: { type: 'boolean' },
        'show-secrets': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    return values
  } catch (error) {
    throw new CommandError('cli.usage', error instanceof Error ? error.message : String(error))
  }
}
