/**
 * The codes that the admin API answers with by itself: whose fault each is and what to do next. They are part of
 * the first module; what a change alone is refused with is in `refusal-codes.ts`, what only the command line or
 * a log says in `local-codes.ts`.
 */

export const ANSWERED_CODES = {
  'config.request_invalid': {
    fault: 'client',
    next: 'Send the JSON body that docs/OPERATIONS.md describes.',
  },
  'config.none': {
    fault: 'gateway',
    next: 'Run `postern apply`; no gateway can route without a first revision.',
  },
  'plugin.preflight_refused': {
    fault: 'plugin',
    next: "Read the plugin's log lines and correct its configuration.",
  },
  'apply.conflict': { fault: 'client', next: 'Look at what changed meanwhile, then apply again.' },
  'rollout.unknown': {
    fault: 'client',
    next: 'Correct the name, or start it; `postern rollout status` has all that are applied or were started.',
  },
  'rollout.wrong_phase': {
    fault: 'client',
    next: 'See `postern rollout status` for where it is.',
  },
  'rollout.nothing_to_do': {
    fault: 'client',
    next: 'Take the PluginRollout out and apply; the plugin is its candidate.',
  },
  'rollout.unknown_plugin': {
    fault: 'client',
    next: 'Name the plugin; `postern rollout status NAME` says whose candidate it is. Nothing was switched off.',
  },
  'rollout.not_killed': {
    fault: 'client',
    next: 'Name the plugin and the nodes it was killed on, as `postern rollout status` shows them.',
  },
  'rollout.no_secret': {
    fault: 'gateway',
    next: 'Set the secret ROLLOUT_SECRET, the same on all nodes, of 16 characters or more.',
  },
  'rollout.preview_invalid': {
    fault: 'client',
    next: 'Ask for another with `postern rollout preview`; one lasts for a day at the most.',
  },
  'rollout.not_applied': {
    fault: 'client',
    next: 'Apply its PluginRollout; a gateway may take half a minute to see a new revision.',
  },
  'rollout.not_complete': {
    fault: 'client',
    next: 'Wait for its last step (`postern rollout status --watch`), or promote with --force.',
  },
  'rollout.off': {
    fault: 'gateway',
    next: 'Deploy with the wrangler.toml of this version, which has the binding ROLLOUTS.',
  },
  'admin.off': {
    fault: 'gateway',
    next: 'Set the secret ADMIN_TOKEN, or the variables of Access; until then only /-/healthz answers.',
  },
  'admin.unauthorized': {
    fault: 'client',
    next: 'Send `authorization: Bearer <ADMIN_TOKEN>`; the command line takes it from --token or the variable ADMIN_TOKEN.',
  },
  'admin.read_only': {
    fault: 'client',
    next: 'Use ADMIN_TOKEN, or have the name added to ACCESS_WRITERS.',
  },
  'admin.cross_site': {
    fault: 'client',
    next: 'Send the request from the host of the admin API itself, or with a token.',
  },
  'admin.too_many_attempts': {
    fault: 'client',
    next: 'Wait for the seconds in retry-after, then send the right token.',
  },
  'admin.access_unavailable': {
    fault: 'gateway',
    next: 'Check ACCESS_TEAM_DOMAIN; the gateway reads the keys again with the next request.',
  },
  'explain.revision_unknown': {
    fault: 'client',
    next: 'Look at `postern history`; the last 50 revisions are kept.',
  },
  'admin.not_found': {
    fault: 'client',
    next: 'Check the path and the method; docs/OPERATIONS.md lists them.',
  },
  'admin.body_too_large': { fault: 'client', next: 'Send less than 20 MiB.' },
  'admin.failed': { fault: 'gateway', next: 'Read the log of the Worker at the time given.' },
  'report.off': {
    fault: 'gateway',
    next: 'Set the secret REPORT_TOKENS on the hub, and give one of them to the node as HUB_TOKEN.',
  },
  'report.invalid': {
    fault: 'client',
    next: 'Give the node the Postern of its hub, or an older one; the batch is given up.',
  },
  'report.too_large': {
    fault: 'client',
    next: 'Let plugins of that node make fewer series; the batch is given up.',
  },
} as const
