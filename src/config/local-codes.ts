/**
 * The codes that the admin API never answers with: what the command line finds by itself, and what a gateway
 * finds in its store, which a status shows without advice. Not part of what is deployed.
 */

export const LOCAL_CODES = {
  'config.file_missing': { fault: 'client', next: 'Check the path given with -f.' },
  'config.syntax': { fault: 'client', next: 'Correct the YAML or JSON at the line named.' },
  'config.source_unavailable': {
    fault: 'gateway',
    next: 'Check the KV namespace; the gateway goes on and tries again.',
  },
  'config.pointer_missing': {
    fault: 'gateway',
    next: 'Put the key `active` back, or apply again.',
  },
  'config.pointer_invalid': {
    fault: 'gateway',
    next: 'Correct the value of the key `active`, or apply again.',
  },
  'config.activation_failed': {
    fault: 'gateway',
    next: 'Read the reason; the snapshot that ran before goes on.',
  },
  'plugin.not_activated': {
    fault: 'plugin',
    next: 'Correct its configuration or module; its last good version runs.',
  },
  'apply.timeout': {
    fault: 'gateway',
    next: 'Run `postern status`; KV may take a minute to show a revision everywhere.',
  },
  'apply.not_taken': { fault: 'gateway', next: 'Read the refusals; what ran before goes on.' },
  'gateway.unreachable': {
    fault: 'gateway',
    next: 'Start the gateway, or name another with --gateway.',
  },
  'gateway.bad_answer': { fault: 'gateway', next: 'Check that --gateway names a Postern gateway.' },
  'cli.file_missing': {
    fault: 'client',
    next: 'Check the path; it starts at the working directory.',
  },
  'cli.module_refused': {
    fault: 'plugin',
    next: 'Run `postern inspect` on the file; it says all that is wrong with it.',
  },
  'bench.nothing_marked': {
    fault: 'client',
    next: 'Add `benchmark: true` to a test that is worth measuring, or leave --proto out.',
  },
  'test.none': {
    fault: 'client',
    next: 'Write a test, or correct the name given with --only.',
  },
  'test.file_invalid': { fault: 'client', next: 'Correct the test file at the lines named.' },
  'cli.file_not_written': {
    fault: 'client',
    next: 'Name another file; one that is there is never written over.',
  },
  'cli.key_invalid': {
    fault: 'client',
    next: 'Name the file that `postern keys new` wrote.',
  },
  'simulate.traffic_invalid': {
    fault: 'client',
    next: 'Correct the lines named; docs/ROLLOUT.md describes the form.',
  },
  'simulate.no_audience': {
    fault: 'client',
    next: "Play requests that the rollout's audience has, or take --generate 1000.",
  },
  'simulate.not_started': {
    fault: 'plugin',
    next: 'Correct the module or the configuration of the version named; `postern validate --try` tries it too.',
  },
  'cli.usage': { fault: 'client', next: 'Run the command with --help.' },
} as const
