import { describe, expect, it } from 'vitest'
import type { Verdict, VerdictMessage } from '../proxy-wasm/stream/verdict.ts'
import { SHADOW_DIFFERENCES, shadowDifferences, wouldAnswer } from './shadow-comparison.ts'

const text = (body: string): Uint8Array => new TextEncoder().encode(body)
const message = (headers: readonly string[], body?: string): VerdictMessage => ({
  headers,
  body: body === undefined ? undefined : text(body),
})
const PASSED: Verdict = {
  outcome: 'passed',
  reply: undefined,
  request: message([':method', 'GET', ':path', '/', 'x-a', '1'], 'in'),
  response: message([':status', '200', 'x-b', '1'], 'out'),
}
const answered = (status: number, headers: readonly string[] = [], body = ''): Verdict => ({
  ...PASSED,
  outcome: 'answered',
  reply: { status, ...message(headers, body) },
  request: undefined,
  response: undefined,
})
const other = (outcome: Verdict['outcome']): Verdict => ({ ...PASSED, outcome })
const classes = (stable: Verdict, candidate: Verdict): string[] =>
  shadowDifferences(stable, candidate).map((difference) => difference.class)

describe('two that do the same', () => {
  it.each([
    ['let messages pass', PASSED],
    ['answer', answered(403, ['x-why', 'no'], 'no')],
    ['fail', other('failed')],
    ['hold', other('held')],
  ])('%s: no difference', (_, verdict) => {
    expect(shadowDifferences(verdict, structuredClone(verdict))).toEqual([])
  })

  it('may have header lines of other names in another order', () => {
    const request = message(['x-a', '1', ':path', '/', ':method', 'GET'], 'in')
    expect(shadowDifferences(PASSED, { ...PASSED, request })).toEqual([])
  })

  it('are not told apart by what one of them was not shown', () => {
    const request = message([':method', 'GET', ':path', '/', 'x-a', '1'])
    expect(shadowDifferences(PASSED, { ...PASSED, request })).toEqual([])
  })
})

describe('two that end otherwise', () => {
  it.each([
    ['trap', PASSED, other('failed')],
    ['trap', other('failed'), PASSED],
    ['trap', other('held'), other('failed')],
    ['held', PASSED, other('held')],
    ['held', answered(403), other('held')],
    ['reset', PASSED, other('reset')],
    ['local-reply', PASSED, answered(403)],
    ['local-reply', answered(403), PASSED],
  ])('%s', (expected, stable, candidate) => {
    expect(classes(stable, candidate)).toEqual([expected])
  })

  it('says what the candidate would answer', () => {
    expect(shadowDifferences(PASSED, answered(403))).toMatchObject([{ status: 403 }])
    expect(shadowDifferences(answered(403), PASSED)).toMatchObject([{ status: 200 }])
    expect(shadowDifferences(PASSED, other('held'))).toMatchObject([{ status: 503 }])
  })
})

describe('two that both answer', () => {
  it('are told apart by status, headers and body', () => {
    expect(classes(answered(401), answered(403))).toEqual(['status'])
    expect(classes(answered(401, ['x-a', '1']), answered(401, ['x-a', '2']))).toEqual([
      'response-headers',
    ])
    expect(classes(answered(401, [], 'a'), answered(401, [], 'b'))).toEqual(['response-body'])
  })
})

describe('two that both let messages pass', () => {
  it('are told apart by what they made of each', () => {
    const candidate: Verdict = {
      ...PASSED,
      request: message([':method', 'GET', ':path', '/', 'x-a', '2', 'x-new', '1'], 'more'),
      response: message([':status', '500', 'x-b', '1'], 'OUT'),
    }
    expect(shadowDifferences(PASSED, candidate)).toEqual([
      {
        class: 'request-headers',
        headers: [
          { name: 'x-a', before: ['1'], after: ['2'] },
          { name: 'x-new', before: undefined, after: ['1'] },
        ],
      },
      { class: 'request-body', bytes: { before: 2, after: 4 } },
      { class: 'status', status: 500 },
      { class: 'response-body', bytes: { before: 3, after: 3 } },
    ])
  })

  it('count each kind once, and no kind that is not listed', () => {
    const response = message([':status', '404', 'x-b', '2'], 'x')
    const found = classes(PASSED, { ...PASSED, response })
    expect(found).toEqual(['status', 'response-headers', 'response-body'])
    expect(found.every((one) => SHADOW_DIFFERENCES.some((known) => known === one))).toBe(true)
  })
})

describe('what a client would be answered', () => {
  it.each([
    ['its own answer', answered(429), 429],
    ["the upstream's, as it leaves the plugin", PASSED, 200],
    ['503 for one that fails', other('failed'), 503],
    ['nothing known without a response', { ...PASSED, response: undefined }, undefined],
  ])('%s', (_, verdict, status) => {
    expect(wouldAnswer(verdict)).toBe(status)
  })
})
