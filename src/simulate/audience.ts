/** Which requests a rollout is for, and from which weight on each of them gets the candidate. */
import type { RouteCandidate } from '../config/route-order.ts'
import type { SnapshotRollout } from '../config/snapshot-rollout.ts'
import { PathTable } from '../gateway/path-table.ts'
import type { RoutedRequest } from '../gateway/routed-request.ts'
import { clientIp } from '../gateway/stream-info.ts'
import { boundOf, saltOf, sideOf } from '../rollout/pick.ts'
import { cookieOf, stickyKeyOf } from '../rollout/sticky-key.ts'

/** Whether a request has a key, and which steps' weights it gets the candidate at. */
export interface Sticky {
  readonly hasKey: boolean
  /** For each step. */
  readonly candidate: readonly boolean[]
}

export class Audience {
  readonly #rollout: SnapshotRollout
  readonly #matches: PathTable | undefined
  readonly #salt: number
  readonly #bounds: readonly number[]
  /** Keys that the gateway would have given out. */
  #given = 0

  constructor(rollout: SnapshotRollout) {
    this.#rollout = rollout
    // of the first run: each has a salt of its own
    this.#salt = saltOf(`${rollout.id}/1`)
    this.#bounds = rollout.steps.map(({ weight }) => boundOf(weight))
    if (rollout.matches === undefined) return
    this.#matches = new PathTable()
    // only whether one holds is asked for
    for (const match of rollout.matches) this.#matches.add({ match } as RouteCandidate)
  }

  /** @returns undefined for a request that no step gives the candidate */
  stickyOf(request: RoutedRequest): Sticky | undefined {
    const [plain = '/'] = request.path.split('?', 1)
    if (this.#matches !== undefined && this.#matches.match(plain, request) === undefined) {
      return undefined
    }
    const { always = [], never = [] } = this.#rollout
    const key = this.#keyOf(request)
    if (key !== undefined && never.includes(key)) return undefined
    const isAlways = key !== undefined && always.includes(key)
    const candidate = this.#bounds.map(
      (bound) => isAlways || sideOf(this.#salt, key, bound) === 'candidate',
    )
    return { hasKey: key !== undefined, candidate }
  }

  #keyOf(request: RoutedRequest): string | undefined {
    const { key } = this.#rollout
    switch (key.type) {
      case 'clientIp':
        return clientIp(request.request)
      case 'issued':
        // whose signature it is cannot be told here; who comes without one is given one, and is new
        return cookieOf(request.header('cookie'), key.name) ?? `new ${(this.#given += 1)}`
      default:
        return stickyKeyOf(key, request)
    }
  }
}
