/**
 * Traffic as JSON Lines: a request on each line, with the answer to it where that is known. Answers to
 * callouts have a file of the same kind. The form is described in docs/ROLLOUT.md.
 */
import type { FieldPath } from '../../config/problem.ts'
import type { CalloutAnswer, HeaderList, RecordedExchange } from './exchange.ts'
import {
  answerAt,
  bodyAt,
  calloutAt,
  headersAt,
  listAt,
  methodAt,
  objectAt,
  textAt,
  timeAt,
  TrafficError,
} from './read-fields.ts'

/** What is wrong with a line, from 1 on; 0: with the file. */
export interface TrafficProblem {
  readonly line: number
  readonly message: string
}

export interface ReadTraffic<T = RecordedExchange> {
  readonly exchanges: readonly T[]
  readonly problems: readonly TrafficProblem[]
  /** What a recording holds that no gateway gets, by what it is; all else is an exchange or a problem. */
  readonly leftOut: ReadonlyMap<string, number>
}

const FIELDS = ['method', 'url', 'headers', 'body', 'time', 'response', 'callouts']

/** @param name - of the file, for people */
export function readJsonLines(name: string, text: string): ReadTraffic {
  return readLines(text, (value, line) => exchangeAt(value, `${name}:${line}`))
}

/** Answers to callouts of every request. */
export function readCallouts(text: string): ReadTraffic<CalloutAnswer> {
  return readLines(text, (value) => calloutAt(value, []))
}

function readLines<T>(text: string, read: (value: unknown, line: number) => T): ReadTraffic<T> {
  const exchanges: T[] = []
  const problems: TrafficProblem[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    try {
      exchanges.push(read(parsed(line), index + 1))
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error
      problems.push({ line: index + 1, message: error.message })
    }
  }
  return { exchanges, problems, leftOut: new Map() }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new TrafficError([], 'expected a JSON object on one line')
  }
}

function exchangeAt(value: unknown, place: string): RecordedExchange {
  const members = objectAt(value, [], FIELDS)
  const { method = 'GET', body, time, response, callouts = [] } = members
  const headers = headersAt(members['headers'], ['headers'])
  return {
    place,
    method: methodAt(method, ['method']),
    url: urlAt(members['url'], ['url'], headers),
    headers,
    body: body === undefined || body === null ? undefined : bodyAt(body, ['body']),
    at: time === undefined ? undefined : timeAt(time, ['time']),
    answer: response === undefined ? undefined : answerAt(response, ['response']),
    callouts: listAt(callouts, ['callouts']).map((one, at) => calloutAt(one, ['callouts', at])),
  }
}

/** A whole URL, or a path whose host stands in the header `host`. */
function urlAt(value: unknown, path: FieldPath, headers: HeaderList): string {
  const text = textAt(value, path)
  const host = headers.find(([name]) => name === 'host')?.[1]
  if (text.startsWith('/') && host === undefined) {
    throw new TrafficError(path, 'a path alone needs the header host')
  }
  const url = URL.parse(text.startsWith('/') ? `http://${host}${text}` : text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TrafficError(path, 'expected an http or https URL, or a path')
  }
  // whoever wrote both meant the host that is in the request
  if (host !== undefined && !text.startsWith('/')) url.host = host
  return url.href
}
