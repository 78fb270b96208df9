/**
 * Traffic as HAR 1.2, which browsers and proxies export.
 * @see http://www.softwareishard.com/blog/har-12-spec/
 */
import type { FieldPath } from '../../config/problem.ts'
import { textToBytes } from '../../proxy-wasm/memory/byte-string.ts'
import type { HeaderList, RecordedAnswer, RecordedExchange } from './exchange.ts'
import {
  base64At,
  headerAt,
  listAt,
  type Members,
  methodAt,
  objectAt,
  plain,
  statusAt,
  textAt,
  timeAt,
  TrafficError,
} from './read-fields.ts'

/** What is wrong, and where in the document. */
export interface HarProblem {
  readonly path: FieldPath
  readonly message: string
}

export interface ReadHar {
  readonly exchanges: readonly RecordedExchange[]
  readonly problems: readonly HarProblem[]
  readonly leftOut: ReadonlyMap<string, number>
}

/**
 * @param name - of the file, for people
 * @param document - the parsed JSON
 */
export function readHar(name: string, document: unknown): ReadHar {
  const exchanges: RecordedExchange[] = []
  const problems: HarProblem[] = []
  const leftOut = new Map<string, number>()
  const path = ['log', 'entries']
  const attempt = (read: () => void): void => {
    try {
      read()
    } catch (error) {
      if (!(error instanceof TrafficError)) throw error
      problems.push({ path: error.path, message: error.message })
    }
  }
  attempt(() => {
    const { entries } = objectAt(objectAt(document, [])['log'], ['log'])
    for (const [at, entry] of listAt(entries, path).entries()) {
      attempt(() => {
        const found = entryAt(entry, [...path, at], `${name}, entry ${at + 1}`)
        if (typeof found === 'string') leftOut.set(found, (leftOut.get(found) ?? 0) + 1)
        else exchanges.push(found)
      })
    }
  })
  return { exchanges, problems, leftOut }
}

/** @returns the exchange, or what it is where no gateway gets it */
function entryAt(value: unknown, path: FieldPath, place: string): RecordedExchange | string {
  const entry = objectAt(value, path)
  const { startedDateTime: time } = entry
  const inRequest = [...path, 'request']
  const request = objectAt(entry['request'], inRequest)
  const url = URL.parse(textAt(request['url'], [...inRequest, 'url']))
  if (url === null) throw new TrafficError([...inRequest, 'url'], 'expected a whole URL')
  if (!/^https?:$/.test(url.protocol)) return `${url.protocol} URLs`
  url.hash = ''
  return {
    place,
    method: methodAt(request['method'], [...inRequest, 'method']),
    url: url.href,
    headers: headersIn(request, inRequest),
    body: postedIn(request, inRequest),
    at: time === undefined ? undefined : timeAt(time, [...path, 'startedDateTime']),
    answer: answerIn(entry, path),
    callouts: [],
  }
}

function headersIn(message: Members, path: FieldPath): HeaderList {
  const { headers = [] } = message
  return listAt(headers, [...path, 'headers']).flatMap((line, at) => {
    const inLine = [...path, 'headers', at]
    const { name, value } = objectAt(line, inLine)
    // HTTP/2 has some that are part of the first line here
    return textAt(name, inLine).startsWith(':') ? [] : [headerAt(name, value, inLine)]
  })
}

function postedIn(request: Members, path: FieldPath): Uint8Array<ArrayBuffer> | undefined {
  const { postData } = request
  if (postData === undefined || postData === null) return undefined
  const inData = [...path, 'postData']
  const { text, params, encoding } = objectAt(postData, inData)
  // a form may be there as its fields alone
  if ((text === undefined || text === '') && Array.isArray(params) && params.length > 0) {
    const form = new URLSearchParams()
    for (const [at, param] of params.entries()) {
      const { name, value = '' } = objectAt(param, [...inData, 'params', at])
      form.append(textAt(name, [...inData, 'params', at]), textAt(value, [...inData, 'params', at]))
    }
    return textToBytes(`${form}`)
  }
  return contentOf(text, encoding, inData)
}

/** @returns undefined where nothing was answered, or nothing that Fetch can answer */
function answerIn(entry: Members, path: FieldPath): RecordedAnswer | undefined {
  const inAnswer = [...path, 'response']
  const response = objectAt(entry['response'], inAnswer)
  const { status, content = {} } = response
  // 0: blocked or cancelled, 101: the connection became another
  if (typeof status === 'number' && status < 200) return undefined
  const { text, encoding } = objectAt(content, [...inAnswer, 'content'])
  return {
    status: statusAt(status, [...inAnswer, 'status']),
    headers: plain(headersIn(response, inAnswer)),
    body: contentOf(text, encoding, [...inAnswer, 'content']),
  }
}

function contentOf(text: unknown, encoding: unknown, path: FieldPath): Uint8Array<ArrayBuffer> {
  if (text === undefined || text === null) return new Uint8Array(0)
  if (encoding === 'base64') return base64At(text, [...path, 'text'])
  return textToBytes(textAt(text, [...path, 'text']))
}
