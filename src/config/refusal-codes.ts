/**
 * The codes that changes are refused with, or fail with: whose fault each is and what to do next. They are part
 * of the second module, as is the policy writer.
 */

export const REFUSAL_CODES = {
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
  'rollout.undoes_promotion': {
    fault: 'client',
    next: 'Write the promoted url, sha256 and pluginConfig into the WasmPlugin and take the PluginRollout out, or apply with --force.',
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
