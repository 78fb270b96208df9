/** What a chain is made from. */
import type { Plugin } from '../vm/plugin.ts'
import type { Strand } from '../vm/strand.ts'
import type { StreamInfo } from './attributes.ts'
import type { Chain } from './chain.ts'
import type { Direction, EffectSink } from './effects.ts'
import type { HeaderMap } from './header-map.ts'
import type { IoContext } from './io-context.ts'
import type { LocalReply } from './local-reply.ts'
import type { Shadow } from './shadow-tap.ts'
import type { Watch } from './tally.ts'

export interface ChainOptions {
  /** In request order. */
  readonly plugins: readonly Plugin[]
  readonly io: IoContext
  readonly strand: Strand
  readonly sink: EffectSink
  readonly info: StreamInfo
  /** The stream that this one runs beside, and must not touch: its one plugin is log-only. */
  readonly beside?: Pick<Chain, 'stored'>
  /** Plugins of which another version runs behind the stream, on a copy. */
  readonly shadows?: readonly Shadow[] | undefined
  /** Plugins of which somebody wants to hear what they did. */
  readonly watches?: readonly Watch[] | undefined
  readonly check?: (direction: Direction, headers: HeaderMap) => LocalReply | undefined
}
