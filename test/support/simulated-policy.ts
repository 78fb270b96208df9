/** A folder with the shipped plugins, fixtures as further modules, and a policy with one rollout. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SimulationReport } from '../../src/simulate/tally.ts'
import { type CommandLine, commandLine } from './command-line.ts'

const repository = join(import.meta.dirname, '../..')

/** Modules by the name they get, from the repository's root; the version of each is 1.0.0. */
export type Fixtures = Readonly<Record<string, string>>

export interface SimulatedPolicy {
  /** Of the module, as `header-policy:1.0.0`. */
  readonly stable: string
  readonly stableConfig?: unknown
  readonly candidate?: string
  readonly candidateConfig?: unknown
  /** Further members of the rollout's spec. */
  readonly rollout?: object
  /** Further resources. */
  readonly more?: readonly object[]
  /** Further members of the WasmPlugin's spec. */
  readonly plugin?: object
  /** Matches of the one route. */
  readonly matches?: readonly object[]
}

const EXTENSIONS = 'extensions.istio.io/v1alpha1'
const POSTERN = 'postern.dev/v1alpha1'

/** The policy as one JSON document each. */
export function policyText(policy: SimulatedPolicy): string {
  const { stable, stableConfig, candidate, candidateConfig, matches, more = [] } = policy
  const url = (module: string): string => `oci://r.test/${module}`
  const resources = [
    {
      apiVersion: POSTERN,
      kind: 'Upstream',
      metadata: { name: 'shop' },
      spec: { service: 'SHOP' },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: {
        hostnames: ['shop.example'],
        rules: [
          {
            ...(matches && { matches }),
            backendRefs: [{ group: 'postern.dev', kind: 'Upstream', name: 'shop' }],
          },
        ],
      },
    },
    {
      apiVersion: EXTENSIONS,
      kind: 'WasmPlugin',
      metadata: { name: 'one' },
      spec: {
        url: url(stable),
        ...(stableConfig !== undefined && { pluginConfig: stableConfig }),
        ...policy.plugin,
      },
    },
    {
      apiVersion: POSTERN,
      kind: 'PluginRollout',
      metadata: { name: 'next' },
      spec: {
        targetRef: { group: 'extensions.istio.io', kind: 'WasmPlugin', name: 'one' },
        candidate: {
          ...(candidate !== undefined && { url: url(candidate) }),
          ...(candidateConfig !== undefined && { pluginConfig: candidateConfig }),
        },
        key: { type: 'cookie', name: 'session' },
        steps: [
          { weight: 1, pause: '1m' },
          { weight: 100, pause: '1m' },
        ],
        ...policy.rollout,
      },
    },
    ...more,
  ]
  return resources.map((one) => JSON.stringify(one)).join('\n---\n')
}

/** @param files - beside the policy, which is `policy.yaml` */
export async function simulatedPolicy(
  policy: SimulatedPolicy,
  files: Readonly<Record<string, string>> = {},
  fixtures: Fixtures = {},
): Promise<CommandLine> {
  const line = await commandLine({ 'policy.yaml': policyText(policy), ...files })
  const plugins = join(line.cwd, 'plugins')
  await mkdir(plugins)
  for (const name of [
    'header-policy',
    'mask-card-numbers',
    'remote-authz',
    'request-id',
    'ab-cookie',
  ]) {
    await symlink(join(repository, 'plugins', name), join(plugins, name))
  }
  for (const [name, path] of Object.entries(fixtures)) {
    const sha256 = createHash('sha256')
      .update(readFileSync(join(repository, path)))
      .digest('hex')
    await mkdir(join(plugins, name))
    await cp(join(repository, path), join(plugins, name, '1.0.0.wasm'))
    const versions = [{ version: '1.0.0', file: '1.0.0.wasm', sha256 }]
    await writeFile(join(plugins, name, 'plugin.json'), JSON.stringify({ name, versions }))
  }
  return line
}

export interface Simulated {
  readonly exitCode: number
  readonly stderr: string
  readonly report: SimulationReport
}

/** Traffic as JSON Lines. */
export const lines = (...requests: readonly object[]): string =>
  requests.map((one) => JSON.stringify(one)).join('\n')

/** Plays traffic, and reads the report. */
export async function simulated(
  policy: SimulatedPolicy,
  traffic: string,
  {
    fixtures = {},
    args = [],
    files = {},
  }: {
    readonly fixtures?: Fixtures
    readonly args?: readonly string[]
    readonly files?: Readonly<Record<string, string>>
  } = {},
): Promise<Simulated> {
  const { postern } = await simulatedPolicy(policy, { 't.jsonl': traffic, ...files }, fixtures)
  const command = ['rollout', 'simulate', 'next', '-f', 'policy.yaml', '--json', '--traffic']
  const { exitCode, stdout, stderr } = await postern(...command, 't.jsonl', ...args)
  return { exitCode, stderr, report: JSON.parse(stdout) as SimulationReport }
}

/** The kinds of difference that were found. */
export const found = ({ differences }: SimulationReport): string[] =>
  Object.entries(differences).flatMap(([name, count]) => (count > 0 ? [name] : []))
