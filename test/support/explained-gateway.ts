/** A gateway that runs the policy of explanations, and `postern explain` against it. */
import type { ExplanationAnswer, StepAnswer } from '../../src/cli/explanation-answer.ts'
import { type CommandResult, commandLine } from './command-line.ts'
import { explainPolicy } from './explain-policy.ts'
import { startGateway, type TestGateway } from './gateway.ts'

export const READ_TOKEN = 'a token that reads'
/** A request that the route `beta` takes. */
export const BETA_URL = ['--url', 'https://shop.example/api/x', '--header', 'X-Beta: yes'] as const

export interface ExplainedGateway extends TestGateway {
  /** The revision of the policy. */
  readonly revision: number
  /** `postern explain` with these options. */
  postern(...argv: string[]): Promise<CommandResult>
  /** The same for who reads, as JSON. @throws when no route takes the request */
  explained(...argv: string[]): Promise<ExplanationAnswer>
}

export async function startExplainedGateway(): Promise<ExplainedGateway> {
  const gateway = await startGateway({ vars: { ADMIN_READ_TOKEN: READ_TOKEN } })
  const revision = await gateway.policy(explainPolicy(gateway.origin.url))
  const postern = async (...argv: string[]): Promise<CommandResult> => {
    const { postern: run } = await commandLine({}, { fetch })
    return run('explain', '--gateway', gateway.url, ...argv)
  }
  return {
    ...gateway,
    revision,
    postern,
    async explained(...argv) {
      const { exitCode, stdout, stderr } = await postern('--token', READ_TOKEN, '--json', ...argv)
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stdout}${stderr}`)
      return JSON.parse(stdout) as ExplanationAnswer
    },
  }
}

/** What one plugin did. */
export function stepsOf(steps: readonly StepAnswer[] | undefined, plugin: string): StepAnswer[] {
  return (steps ?? []).filter((step) => step.plugin === plugin)
}
