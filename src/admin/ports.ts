/**
 * What the admin API needs from the gateway it administers. Answers are sent as JSON as they are, so
 * they hold nothing secret.
 */
import type { RequestScope } from '../config/activation.ts'
import type {
  ApplyRequest,
  ApplyResult,
  PromoteRequest,
  RollbackRequest,
} from '../config/apply/apply-request.ts'
import type { CodeEntry, ErrorCode } from '../config/error-codes.ts'
import type { History } from '../config/apply/history.ts'
import type { ReportReply } from '../observe/index.ts'
import type { RolloutAction } from '../rollout/controller.ts'
import type { Kill } from '../rollout/record.ts'
import type { GoodPreview, Preview } from '../rollout/preview-token.ts'
import type { RolloutsView } from '../rollout/rollouts-view.ts'
import type { RolloutErrorCode } from '../rollout/rollout-error.ts'
import type { ExplainRequest } from './explain-request.ts'

/** Why there is no explanation. */
export interface NoExplanation {
  readonly code: 'config.none' | 'config.request_invalid' | 'explain.revision_unknown'
  readonly message: string
}

/** What an answer is when something cannot be done with a rollout. */
type RolloutAnswer = RolloutsView | { readonly code: RolloutErrorCode; readonly message: string }

export interface RolloutPorts {
  read(): Promise<RolloutsView>
  act(rollout: string, action: RolloutAction, by: string): Promise<RolloutAnswer>
  /** Keeps a plugin's candidate off on some nodes, or no longer. */
  kill(kill: Kill, on: boolean, by: string): Promise<RolloutAnswer>
}

/** Preview tokens, where the gateway has a secret to sign them with. */
export interface PreviewPorts {
  /**
   * @param lifetimeMs - at most `MAX_PREVIEW_MS`
   * @returns undefined when nothing that runs has such a rollout
   */
  issue(preview: Preview, lifetimeMs: number, scope: RequestScope): Promise<string | undefined>
  /** @returns undefined for a token that is not good now */
  read(token: string): GoodPreview | undefined | Promise<GoodPreview | undefined>
  /** Answers `/-/preview`. @returns undefined when there is no good token in it */
  page(request: Request): Promise<Response | undefined>
}

export interface AdminPorts {
  /** What this isolate runs and refused: see `GatewayAnswer` in `cli/gateway-client.ts` for its reader. */
  status(scope: RequestScope): Promise<object>
  /** Reads the store now. @returns the status afterwards */
  refresh(scope: RequestScope): Promise<object>
  /**
   * The metrics of every isolate that reports, in Prometheus' text format.
   * @param node - of this node's isolates alone
   */
  metrics(scope: RequestScope, node: string | undefined): Promise<string>
  /** Says what becomes of a request, without its being sent. */
  explain(
    request: ExplainRequest,
    scope: RequestScope,
  ): Promise<{ readonly explanation: object } | NoExplanation>
  /** Hands a change to the one writer. */
  apply(request: ApplyRequest): Promise<ApplyResult>
  /** Has the one writer make a new revision of an old snapshot. */
  rollback(request: RollbackRequest): Promise<ApplyResult>
  /** Has the one writer make a candidate its plugin. */
  promote(request: PromoteRequest): Promise<ApplyResult>
  /** What is to be done about a code that a change is refused with; absent where nobody knows. */
  entryOf?(code: ErrorCode): Promise<CodeEntry | undefined>
  /** The revisions there have been. */
  history(): Promise<History>
  /** Reports of nodes elsewhere; absent where nobody takes them in. */
  readonly reports?:
    | {
        /**
         * @param body - whatever was sent
         * @returns the reply, or what is wrong with the body
         */
        take(body: unknown): Promise<ReportReply | { readonly wrong: string }>
      }
    | undefined
  /** Rollouts; absent where nothing takes them forward. */
  readonly rollouts?: RolloutPorts | undefined
  /** Absent where there is no secret. */
  readonly previews?: PreviewPorts | undefined
}
