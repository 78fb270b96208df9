/** This isolate's part in the reports, and what is shown of all of them. */
import type { RequestScope } from '../config/activation.ts'
import type { LiveConfig } from '../config/live-config.ts'
import {
  type ActiveRevision,
  FAMILIES,
  type IsolateFacts,
  type MergedView,
  prometheusText,
  type Registry,
  Reporter,
  type ReportReply,
  type ReportSink,
  type Sample,
} from '../observe/index.ts'
import { describeError } from '../proxy-wasm/index.ts'

export interface ReportsOptions {
  readonly sink: ReportSink
  readonly everyMs: number
  /** The node's name; where the platform says where it runs (Cloudflare's `colo`), that when absent. */
  readonly node?: string | undefined
}

/** A report is small whatever has happened: of more than this the rest is left out. */
const REFUSALS = 16
const PLUGINS = 64
const CHARACTERS = 300

/** What an isolate says of itself beside what its configuration says. */
export type OwnFacts = Pick<
  IsolateFacts,
  'labels' | 'plugins' | 'rolloutsVersion' | 'rolloutsPublisher'
>

/** A status must not wait long for what is not its own. */
const STATUS_DEADLINE_MS = 1_000

/** What the platform may say of a request. */
interface PlacedRequest {
  readonly cf?: { readonly colo?: string }
}

export class Reports {
  readonly #registry: Registry
  readonly #live: LiveConfig<unknown>
  readonly #reporter: Reporter | undefined
  /** Where all nodes are seen, when that is not here. */
  readonly hub: string | undefined
  #node: string | undefined
  #heardActive: ActiveRevision | null = null

  /**
   * @param own - asked for each report
   * @param onReply - hears what else a reply says
   * @param isOver - by labels: which counters nobody counts in any more
   */
  constructor(
    registry: Registry,
    live: LiveConfig<unknown>,
    options: ReportsOptions | undefined,
    own: () => OwnFacts,
    onReply: (reply: ReportReply) => void,
    isOver: (labels: string) => boolean,
  ) {
    this.#registry = registry
    this.#live = live
    if (options === undefined) return
    this.hub = options.sink.hub
    // an empty variable is one that is not set
    this.#node = options.node === '' ? undefined : options.node
    this.#reporter = new Reporter({
      sink: options.sink,
      registry,
      everyMs: options.everyMs,
      isOver,
      facts: () => this.#facts(own()),
      onReply: (reply, scope) => {
        onReply(reply)
        this.#heard(reply, scope)
      },
    })
  }

  /** On the request path: a comparison, unless no report is planned. */
  whenDue(request: Request, scope: RequestScope, now: number): void {
    const reporter = this.#reporter
    if (reporter === undefined || now < reporter.nextAt) return
    this.#node ??= (request as PlacedRequest).cf?.colo
    reporter.plan(scope, now)
  }

  /**
   * Reports now: something has changed that others want to see, or what they say is to be heard.
   * @returns whether somebody answered; never rejects
   */
  now(scope: RequestScope): Promise<boolean> {
    if (this.#reporter === undefined) return Promise.resolve(false)
    return this.#reporter.send(scope).then(
      () => true,
      () => false,
    )
  }

  #facts({ labels, plugins = [], ...rollouts }: OwnFacts): IsolateFacts {
    const { revision, snapshot, issuedAt, checkedAt, refusals } = this.#live.status()
    return {
      node: this.#node ?? 'local',
      labels,
      revision,
      snapshot,
      issuedAt,
      checkedAt,
      refusals: refusals
        .slice(0, REFUSALS)
        .map((one) => Object.assign({}, one, { message: one.message.slice(0, CHARACTERS) })),
      plugins: plugins
        .slice(0, PLUGINS)
        .map((one) => Object.assign({}, one, { reason: one.reason.slice(0, CHARACTERS) })),
      ...rollouts,
    }
  }

  /** What all nodes have reported; undefined when that cannot be had. */
  async view(): Promise<Pick<MergedView, 'active' | 'nodes'> | undefined> {
    return this.#reporter?.read(STATUS_DEADLINE_MS).catch(() => undefined)
  }

  /** What a reply said is active last; null when none did. */
  get active(): ActiveRevision | null {
    return this.#heardActive
  }

  /** @see Gateway.metrics */
  async metrics(scope: RequestScope, node: string | undefined): Promise<string> {
    try {
      if (this.#reporter === undefined) throw new Error('there is no binding for reports')
      const { metrics } = await this.#reporter.view(scope, node)
      return prometheusText([...metrics, up(1)])
    } catch (error) {
      const why = `this isolate alone; the others cannot be had: ${describeError(error)}`
      return prometheusText([...this.#registry.collect().samples(), up(0)], [why])
    }
  }

  /** A newer revision than ours is active: look for it now and not when the pointer has grown old. */
  #heard({ active }: ReportReply, scope: RequestScope): void {
    this.#heardActive = active
    if (active === null || active.revision <= this.#live.status().revision) return
    scope.waitUntil(this.#live.refresh(scope))
  }
}

function up(value: 0 | 1): Sample {
  const { name, kind } = FAMILIES.reportsUp
  return { name, kind, labels: '', value }
}
