/** CEL expressions over attributes: what they see, what their results become, and the statuses. */
import { describe, expect, it } from 'vitest'
import { celFunctions } from '../../src/foreign/cel.ts'
import { envoyFunctions } from '../../src/foreign/index.ts'
import { type Machine, machine, type ProbeLine } from '../support/machine.ts'
import { calls, during, play, statuses } from '../support/play.ts'

const foreign = (name: string, argument: object | string = '', rest: object = {}): object => ({
  call: 'foreign',
  function: name,
  argument,
  ...rest,
})

function withFunctions(): Machine {
  return machine({ ports: { foreignFunctions: envoyFunctions().registerAll(celFunctions()) } })
}

describe('CEL', () => {
  /** Creates in configure, evaluates in request headers. */
  async function evaluate(source: string): Promise<ProbeLine | undefined> {
    const { lines } = await play(
      {
        configure: [foreign('expr_create', source, { save: 'expression' })],
        request_headers: [foreign('expr_evaluate', { saved: 'expression' })],
      },
      {
        host: withFunctions(),
        request: new Request('http://shop.example/items?page=2', { headers: { 'x-a': '1' } }),
      },
    )
    return calls(during(lines, 'request_headers'), 'foreign')[0]
  }
  const le = (value: bigint): string => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes.toString('latin1')
  }

  it.each([
    ['request.path', '/items?page=2'],
    ['request.headers["x-a"] + request.method', '1GET'],
    ['request.url_path.startsWith("/items")', '\u0001'],
    ['request.headers["x-b"] == "1"', undefined],
    ['"x-b" in request.headers', '\u0000'],
    ['has(request.referer)', '\u0000'],
    ['request.size + 7', le(7n)],
    ['connection.mtls', '\u0000'],
    ['plugin_name', 'p1'],
    ['size(request.query) > 3 ? 1u : 2u', le(1n)],
    ['request.path.matches("page=[0-9]$")', '\u0001'],
    ['1.5', Buffer.from(Float64Array.of(1.5).buffer).toString('latin1')],
    ['duration("1.5s")', le(1_500_000_000n)],
    ['timestamp("1970-01-01T00:00:01Z")', le(1_000_000_000n)],
    ['request.time > timestamp("2020-01-01T00:00:00Z")', '\u0001'],
    ['b"\\x00\\xff"', '\u0000\u00ff'],
  ])('evaluates %s', async (source, value) => {
    const line = await evaluate(source)
    expect([line?.['status'], line?.['value']]).toEqual(
      value === undefined ? [10, undefined] : [0, value],
    )
  })

  it('gives lists and maps as pairs', async () => {
    expect((await evaluate('["a"]'))?.['size']).toBe(4 + 8 + 2 + 1)
    expect((await evaluate('{"a": "b"}'))?.['size']).toBe(4 + 8 + 3 + 1)
  })

  it.each([
    ['null', 3],
    ['1 / 0', 10],
    ['nobody.knows', 10],
  ])('answers %s with %d', async (source, status) => {
    expect(await evaluate(source)).toMatchObject({ status })
  })

  it('sees what plugins set', async () => {
    const { lines } = await play(
      {
        request_headers: [
          { call: 'set_property', path: ['color'], value: 'blue' },
          foreign('expr_create', 'filter_state["wasm.color"] + "!"', { save: 'expression' }),
          foreign('expr_evaluate', { saved: 'expression' }),
        ],
      },
      { host: withFunctions() },
    )
    expect(calls(lines, 'foreign').at(-1)).toMatchObject({ status: 0, value: 'blue!' })
  })

  it('refuses what is no expression and no token, and forgets what is deleted', async () => {
    const { lines } = await play(
      {
        request_headers: [
          foreign('expr_create', 'a +'),
          foreign('expr_evaluate', 'abc'),
          foreign('expr_delete', 'abc'),
          foreign('expr_evaluate', { hex: '63000000' }),
          foreign('expr_create', '1', { save: 'one' }),
          foreign('expr_delete', { saved: 'one' }),
          foreign('expr_evaluate', { saved: 'one' }),
          foreign('expr_delete', { saved: 'one' }),
        ],
      },
      { host: withFunctions() },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual([2, 2, 2, 1, 0, 0, 1, 0])
  })

  it('is NotFound where it was not registered', async () => {
    const { lines } = await play(
      { request_headers: [foreign('expr_create', '1')] },
      { host: machine({ ports: { foreignFunctions: envoyFunctions() } }) },
    )
    expect(statuses(calls(lines, 'foreign'))).toEqual([1])
  })
})
