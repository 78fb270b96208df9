/** Who a request that is explained comes from: what its preview tokens do, and what is seen of them behind the gateway. */
import {
  PREVIEW_HEADER,
  previewTokensOf,
  withoutPreviewCookie,
} from '../../rollout/preview-carriers.ts'
import type { Recognition } from '../../rollout/recognition.ts'
import type { Visitor } from '../../rollout/visitor.ts'
import type { Exchange } from '../exchange.ts'
import type { Running } from '../running.ts'
import type { PreviewsView } from './explanation.ts'

/**
 * Recognises who asks, as the gateway does before it routes a request.
 * @param recognition - undefined: the gateway has no secret
 */
export async function recognise(
  { headers }: Request,
  io: Exchange,
  { snapshot, rollouts }: Running,
  recognition: Recognition | undefined,
): Promise<PreviewsView | undefined> {
  if (snapshot.rollouts === undefined || recognition === undefined) return undefined
  const visitor = await recognition.visitor(headers, rollouts?.issuedIn ?? [], io.startedAt)
  io.visitor = visitor
  return visitor?.sentTokens ? viewOf(visitor, headers) : undefined
}

function viewOf({ previews }: Visitor, headers: Headers): PreviewsView {
  const [header, cookies] = [headers.get(PREVIEW_HEADER), headers.get('cookie')]
  const good = previews.map(({ rollout, side, until }) => {
    return { rollout, side, until: new Date(until).toISOString() }
  })
  return { good, ignored: previewTokensOf({ header, cookies }).length - good.length }
}

/** Takes the tokens out of a request of one's own: a run of its plugins is not to see them either. */
export function withoutTokens({ headers }: Request): void {
  headers.delete(PREVIEW_HEADER)
  const others = withoutPreviewCookie(headers.get('cookie') ?? '')
  if (others === '') headers.delete('cookie')
  else headers.set('cookie', others)
}
