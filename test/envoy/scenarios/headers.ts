/** Reading and editing header maps, in every phase. */
import type { Scenario, Step } from '../scenario.ts'
import { atEnd, HOLD, one } from './steps.ts'

const READ = (map: string): Step[] => [
  { call: 'get_header', map, name: 'x-one' },
  { call: 'get_header', map, name: 'X-ONE' },
  { call: 'get_header', map, name: 'x-empty' },
  { call: 'get_header', map, name: 'x-absent' },
  { call: 'get_header', map, name: '' },
  { call: 'map_size', map },
  { call: 'get_pairs', map },
]

const EDIT = (map: string): Step[] => [
  { call: 'add_header', map, name: 'x-added', value: '1' },
  { call: 'add_header', map, name: 'x-added', value: '2' },
  { call: 'set_header', map, name: 'x-set', value: 'new' },
  { call: 'set_header', map, name: 'X-One', value: 'replaced' },
  { call: 'remove_header', map, name: 'X-Gone' },
  { call: 'remove_header', map, name: 'x-absent' },
  { call: 'get_header', map, name: 'x-added' },
  { call: 'get_pairs', map },
]

const LINES = [
  ['x-empty', ''],
  ['x-gone', 'g'],
  ['x-one', '1'],
] as const

const REQUESTS = [{ method: 'POST', headers: LINES, body: 'hello' }]
const ANSWER = { headers: [['content-type', 'text/plain'], ...LINES] as const }

export const HEADERS: readonly Scenario[] = [
  one('request-headers-read', { request_headers: READ('request') }, { requests: REQUESTS }),
  one('request-headers-edited', { request_headers: EDIT('request') }, { requests: REQUESTS }),
  one('response-headers-read', { response_headers: READ('response') }, { answer: ANSWER }),
  one('response-headers-edited', { response_headers: EDIT('response') }, { answer: ANSWER }),
  one(
    'request-map-in-request-body',
    { request_body: [HOLD, ...[...READ('request'), ...EDIT('request')].map(atEnd)] },
    { requests: REQUESTS },
  ),
  one(
    'response-map-in-request-headers',
    { request_headers: [...READ('response'), ...EDIT('response')] },
    { requests: REQUESTS },
  ),
  one(
    'request-map-in-response-headers',
    { response_headers: [...READ('request'), ...EDIT('request')] },
    { requests: REQUESTS },
  ),
  one(
    'response-map-in-response-body',
    { response_body: [HOLD, ...[...READ('response'), ...EDIT('response')].map(atEnd)] },
    { answer: ANSWER },
  ),
]
