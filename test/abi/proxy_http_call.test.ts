/** `proxy_http_call`: HTTP callouts. */
import { Status } from '../../src/proxy-wasm/index.ts'
import { type Arg, describeHostCall, slice } from '../support/abi.ts'

describeHostCall('proxy_http_call', {
  args: good(),
  ports: { httpCalls: { start: () => ({ outcome: new Promise(() => {}), cancel() {} }) } },
  misuse: [
    ['BadArgument to no headers', good({ 2: 0, 3: 0 }), Status.BadArgument],
    [
      'BadArgument to malformed headers',
      [...slice('a'), ...slice('xyz'), 0, 0, 0, 0, 0, { out: 0 }],
      Status.BadArgument,
    ],
    [
      'BadArgument to malformed trailers',
      [...good().slice(0, 6), ...slice('xyz'), 0, { out: 0 }],
      Status.BadArgument,
    ],
    ['BadArgument to a negative timeout', good({ 8: -1 }), Status.BadArgument],
    ['Ok to the longest timeout', good({ 8: 0x7fff_ffff }), Status.Ok],
  ],
})

/** The pairs `:method`, `:path` and `:authority`, each with the value `x`. */
function good(changes: Readonly<Record<number, Arg>> = {}): Arg[] {
  const names = [':method', ':path', ':authority']
  const size = (n: number): object => ({ hex: `${n.toString(16).padStart(2, '0')}000000` })
  const pairs = {
    concat: [
      size(3),
      ...names.flatMap((name) => [size(name.length), size(1)]),
      ...names.map((name) => `${name}\0x\0`),
    ],
  }
  const args = [...slice('up'), ...slice(pairs), ...slice('body'), ...slice(''), 100, { out: 0 }]
  return args.map((arg, i) => changes[i] ?? arg)
}
