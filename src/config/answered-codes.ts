/**
 * The codes that the admin API answers with: whose fault each is and what to do next. They are part of what
 * is deployed; what only the command line or a log says is in `local-codes.ts`.
 */

export const ANSWERED_CODES = {
  'config.unknown_kind': {
    fault: 'client',
    next: 'Use one of the kinds listed, with the apiVersion given beside it.',
  },
  'config.unknown_field': {
    fault: 'client',
    next: 'Correct the name; the message names the nearest one that exists.',
  },
  'config.unsupported': {
    fault: 'client',
    next: 'Take the field out; it is outside the supported subset.',
  },
  'config.invalid': { fault: 'client', next: 'Write what the message says was expected.' },
  'config.duplicate': { fault: 'client', next: 'Keep one of the two.' },
  'config.dangling_reference': {
    fault: 'client',
    next: 'Add the resource it names, or correct the name.',
  },
  'config.module_unknown': {
    fault: 'client',
    next: 'Bring the module in with `postern add`, then deploy.',
  },
  'config.module_mismatch': {
    fault: 'client',
    next: 'Correct sha256, or the url, so that both name one module.',
  },
  'config.host_env_denied': {
    fault: 'client',
    next: 'Add the variable to ALLOWED_HOST_ENV and deploy, or write its value inline.',
  },
  'config.private_address': {
    fault: 'client',
    next: 'Write an address outside, or `allowPrivate: true` where it is meant.',
  },
  'config.no_backend': {
    fault: 'client',
    next: 'Give the rule a backendRef with a weight, or let it redirect.',
  },
  'config.no_effect': {
    fault: 'client',
    next: 'Nothing has to be done; the field is accepted and has no effect here.',
  },
  'config.resources_unknown': {
    fault: 'client',
    next: 'Apply the full set of resources once with --prune.',
  },
  'config.request_invalid': {
    fault: 'client',
    next: 'Send the JSON body that docs/OPERATIONS.md describes.',
  },
  'config.none': {
    fault: 'gateway',
    next: 'Run `postern apply`; no gateway can route without a first revision.',
  },
  'config.signature_missing': {
    fault: 'client',
    next: 'Apply with --sign KEYFILE; the gateway has TRUSTED_KEYS and takes nothing else.',
  },
  'config.signature_invalid': {
    fault: 'client',
    next: 'Apply again with --sign; if nobody changed the pointer by hand, find out who did.',
  },
  'config.signature_key_unknown': {
    fault: 'client',
    next: 'Sign with a key of TRUSTED_KEYS, or add its public key there and deploy.',
  },
  'config.signature_expired': {
    fault: 'client',
    next: 'Apply again with --sign, which makes a new revision of what runs.',
  },
  'plugin.preflight_refused': {
    fault: 'plugin',
    next: "Read the plugin's log lines and correct its configuration.",
  },
  'apply.conflict': { fault: 'client', next: 'Look at what changed meanwhile, then apply again.' },
  'apply.failed': {
    fault: 'gateway',
    next: 'Apply again; what was begun is completed or has no effect.',
  },
  'apply.plan_changed': {
    fault: 'client',
    next: 'Apply again; the new plan is shown and signed instead.',
  },
  'rollback.unknown_revision': {
    fault: 'client',
    next: 'Run `postern history`; it lists the revisions that can be named.',
  },
  // rollouts
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
  'rollout.undoes_promotion': {
    fault: 'client',
    next: 'Write the promoted url, sha256 and pluginConfig into the WasmPlugin and take the PluginRollout out, or apply with --force.',
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
  'apply.not_bound': {
    fault: 'client',
    next: 'Run `npm run deploy` (or restart `npm start`), then apply again.',
  },
  'config.revision_older': {
    fault: 'gateway',
    next: 'Move the pointer with a revision above the one that runs.',
  },
  'config.revision_reused': {
    fault: 'gateway',
    next: 'Give the pointer a revision above the one that runs.',
  },
  'config.snapshot_hash': {
    fault: 'gateway',
    next: 'Apply again; the stored snapshot is not what its name says.',
  },
  'config.snapshot_pending': {
    fault: 'gateway',
    next: 'Wait for the store to show the snapshot; the gateway tries again.',
  },
  'config.snapshot_invalid': {
    fault: 'gateway',
    next: 'Apply again with the Postern that runs here.',
  },
  'config.schema_newer': {
    fault: 'gateway',
    next: 'Deploy the Postern that wrote the snapshot, or apply again with this one.',
  },
} as const
