/**
 * What the recorders of the SDKs (test/fixtures/README.md) are asked to do, and what must come of it. The
 * request is `POST /items?page=2` with `x-user: ann` and the body `hello`; the response has `x-up: yes`
 * and the body `ok`. The upstream `authz` answers `answer`, `echo` speaks gRPC.
 */
export interface Script {
  readonly lines: readonly string[]
  /** What the plugin logs, among other things, in this order. */
  readonly says?: readonly (string | RegExp)[]
  /** A line of another level than info. */
  readonly logs?: readonly [level: number, message: string]
  /** What the upstream gets. */
  readonly sent?: string
  /** What the client gets. */
  readonly status?: number
  readonly body?: string
  readonly grpcStatus?: string
  /** Lines about refusals that are right besides those in `says`. */
  readonly refused?: RegExp
  /** What the SDK makes of the answer: it panics. */
  readonly panics?: RegExp
  /** Another request comes after so many milliseconds. */
  readonly again?: number
  /** The plugin is retired at the end. */
  readonly retired?: true
}

const REQUEST = 'request_headers'
const read = (...calls: readonly string[]): readonly string[] =>
  calls.map((call) => `${REQUEST} ${call}`)
const response = (...calls: readonly string[]): readonly string[] =>
  calls.map((call) => `response_headers ${call}`)
const requestBody = (...calls: readonly string[]): readonly string[] => [
  'request_body pause',
  ...calls.map((call) => `request_body_end ${call}`),
]
const responseBody = (...calls: readonly string[]): readonly string[] => [
  'response_body pause',
  ...calls.map((call) => `response_body_end ${call}`),
]
const called = (...calls: readonly string[]): readonly string[] => [
  'request_headers call authz /check',
  'request_headers pause',
  ...calls.map((call) => `http_call_response ${call}`),
  'http_call_response resume',
]
const streamed = (on: string, ...calls: readonly string[]): readonly string[] => [
  'request_headers grpc_open echo Count',
  'request_headers grpc_finish ask',
  ...calls.map((call) => `${on} ${call}`),
]

export const SCRIPTS: Readonly<Record<string, Script>> = {
  get: {
    lines: read('get x-user', 'get x-none'),
    says: ['get x-user = ann', 'get x-none = absent'],
  },
  set: { lines: read('set x-user bob', 'get x-user'), says: ['get x-user = bob'] },
  add: { lines: read('add x-user eve', 'pairs'), says: [/^pairs .*x-user=.*eve/] },
  remove: { lines: read('remove x-user', 'get x-user'), says: ['get x-user = absent'] },
  'remove value': {
    lines: read('remove_value x-user', 'get x-user'),
    says: ['get x-user = absent'],
  },
  pairs: { lines: read('pairs'), says: [/^pairs .*x-user=ann/] },
  'set pairs': { lines: read('set_pairs x-new 1', 'get x-new'), says: ['get x-new = 1'] },
  'map size': { lines: read('map_size'), says: [/^map_size = [1-9]\d\d?$/] },
  'get, response': { lines: response('get x-up'), says: ['get x-up = yes'] },
  'set, response': { lines: response('set x-up no', 'get x-up'), says: ['get x-up = no'] },
  'add, response': { lines: response('add x-up two', 'pairs'), says: [/^pairs .*x-up=.*two/] },
  'remove, response': {
    lines: response('remove x-up', 'get x-up'),
    says: ['get x-up = absent'],
  },
  'pairs, response': { lines: response('pairs'), says: [/^pairs .*x-up=yes/] },
  'set pairs, response': {
    lines: response('set_pairs x-new 1', 'get x-new'),
    says: ['get x-new = 1'],
  },
  // Fetch has no trailers: nothing to read, and edits reach nobody
  'get, trailers': {
    lines: [...read('in request_trailers get x'), ...response('in response_trailers get x')],
    says: ['get x = absent', 'get x = absent'],
  },
  'pairs, trailers': {
    lines: [...read('in request_trailers pairs'), ...response('in response_trailers pairs')],
    says: [/^pairs\s*$/, /^pairs\s*$/],
    refused: /^in refused: .*not found$/,
  },
  'edit, trailers': {
    lines: [
      ...read('in request_trailers set x 1', 'in request_trailers add x 1'),
      ...read('in request_trailers remove x', 'in request_trailers set_pairs x 1'),
      ...response('in response_trailers set x 1', 'in response_trailers add x 1'),
      ...response('in response_trailers remove x', 'in response_trailers set_pairs x 1'),
    ],
    status: 200,
    refused: /^in refused: .*not found$/,
  },
  'get bytes': {
    lines: read('get_bytes x-user', 'get_bytes x-none'),
    says: ['get_bytes x-user = Some([97, 110, 110])', 'get_bytes x-none = None'],
  },
  'set bytes': { lines: read('set_bytes x-user bob', 'get x-user'), says: ['get x-user = bob'] },
  'remove bytes': {
    lines: read('remove_bytes x-user', 'get x-user'),
    says: ['get x-user = absent'],
  },
  'add bytes': { lines: read('add_bytes x-user eve', 'pairs'), says: [/^pairs .*x-user=.*eve/] },
  'pairs bytes': { lines: read('pairs_bytes'), says: [/^pairs_bytes .*x-user=ann/] },
  'set pairs bytes': {
    lines: read('set_pairs_bytes x-new 1', 'get x-new'),
    says: ['get x-new = 1'],
  },
  body: { lines: requestBody('body'), says: ['body = hello'], sent: 'hello' },
  'body status': { lines: requestBody('body_status'), says: ['body_status = 0 5'] },
  'replace body': { lines: requestBody('replace_body new'), sent: 'new' },
  'prepend body': { lines: requestBody('prepend_body >'), sent: '>hello' },
  'append body': { lines: requestBody('append_body !'), sent: 'hello!' },
  'body, response': { lines: responseBody('body'), says: ['body = ok'], body: 'ok' },
  'replace body, response': { lines: responseBody('replace_body new'), body: 'new' },
  'prepend body, response': { lines: responseBody('prepend_body >'), body: '>ok' },
  'append body, response': { lines: responseBody('append_body !'), body: 'ok!' },
  'plugin configuration': {
    lines: ['configure in plugin_configuration body'],
    says: ['body = configure in plugin_configuration body'],
  },
  configuration: { lines: ['configure configuration'], says: ['configuration = 23'] },
  'vm configuration': { lines: ['configure in vm_configuration body'], says: ['body = of the vm'] },
  'data of TCP': {
    lines: read('in downstream body', 'in upstream body'),
    says: ['body = absent', 'body = absent'],
  },
  property: {
    lines: read('property request.path', 'property not.there'),
    says: ['property request.path = /items?page=2', 'property not.there = absent'],
  },
  'property map': {
    lines: read('property_map request.headers'),
    says: [/^property_map request.headers = .*x-user=ann/],
  },
  'set property': {
    lines: read('set_property mine v', 'property mine'),
    says: ['property mine = v'],
  },
  'shared data': {
    lines: ['configure shared_set k v', ...read('shared_get k', 'shared_get none')],
    says: ['shared k = v', 'shared none = absent'],
  },
  'shared data, swapped': {
    lines: read('shared_set k v', 'shared_swap k w', 'shared_get k'),
    says: ['shared k = w'],
  },
  'shared data, stale': {
    lines: read('shared_set k v', 'shared_stale k w', 'shared_get k'),
    says: [/^shared_stale refused: (CasMismatch|.*[Cc]as.*|8)$/, 'shared k = v'],
  },
  queue: {
    lines: ['configure queue jobs', ...read('enqueue jobs hi')],
    says: ['queue_ready own=true hi'],
  },
  count: { lines: read('count hits 3'), says: ['count hits = 3'] },
  gauge: { lines: read('gauge level 7'), says: ['gauge level = 7'] },
  observe: { lines: read('observe spans 9') },
  call: {
    lines: called('get :status', 'pairs', 'body'),
    says: [
      'call sent',
      /^http_call_response \d+ 6 1$/,
      'get :status = 200',
      /^pairs .*x-answer=yes/,
      'body = answer',
    ],
    status: 200,
  },
  'call trailers': {
    lines: called('in call_trailers pairs'),
    says: [/^pairs .*x-trailer=end/],
  },
  resume: { lines: called(), says: ['call sent'], sent: 'hello' },
  'resume, response': { lines: response('resume_response'), status: 200 },
  reply: { lines: read('reply 403 no', 'pause'), status: 403, body: 'no' },
  'reply of gRPC': {
    lines: read('set content-type application/grpc', 'reply_grpc denied', 'pause'),
    status: 200,
    grpcStatus: '7',
  },
  tick: { lines: ['configure tick 100'], says: ['tick'], again: 200 },
  time: { lines: read('time'), says: ['time runs'] },
  foreign: { lines: read('foreign echo hi'), says: ['foreign echo = HI'] },
  'foreign callback': {
    lines: [...read('foreign later hi'), 'foreign_function in call_data body'],
    says: ['foreign_function 77 2', 'body = hi'],
  },
  'log level': { lines: read('log_level'), says: ['log_level = 0'] },
  trace: { lines: read('log trace hi'), logs: [0, 'hi'] },
  debug: { lines: read('log debug hi'), logs: [1, 'hi'] },
  info: { lines: read('log info hi'), logs: [2, 'hi'] },
  warn: { lines: read('log warn hi'), logs: [3, 'hi'] },
  error: { lines: read('log error hi'), logs: [4, 'hi'] },
  critical: { lines: read('log critical hi'), logs: [5, 'hi'] },
  'another context': {
    lines: read('effective 1', 'get x-user', 'effective 2', 'get x-user', 'effective 99'),
    says: ['get x-user = absent', 'get x-user = ann', /^effective (refused: \w+|= 2)/],
  },
  'done later': {
    lines: ['root_done complete', 'root_done pause'],
    says: ['root done'],
    retired: true,
  },
  // the AssemblyScript SDK logs through WASI, which knows no levels
  'logged through WASI': {
    lines: read('log info a', 'log warn b', 'log error c', 'log critical d'),
    says: ['a', '[WARN]: b', '[ERROR]: c', '[CRITICAL]: d'],
  },
  'formatted lines': {
    lines: read('logf trace a', 'logf debug b', 'logf info c'),
    logs: [1, 'formatted b'],
    says: ['formatted c'],
  },
  'formatted warnings': {
    lines: read('logf warn a', 'logf error b', 'logf critical c'),
    logs: [5, 'formatted c'],
  },
  'another context, AssemblyScript': {
    lines: read('effective 1', 'effective 99'),
    says: ['effective = 0', 'effective = 2'],
  },
  'own context': {
    lines: [...called(), 'http_call_response own', 'http_call_response continue'],
    says: ['own = 0'],
    sent: 'hello',
  },
  'calls given up': {
    lines: read('call authz /check', 'cancel'),
    says: ['call sent', 'http_call_response 0 0 0'],
  },
  'done, when nothing waits': { lines: read('complete'), says: ['complete = 1'] },
  status: { lines: read('grpc_status'), says: ['grpc_status 0'] },
  'count, not read': { lines: read('count hits 3') },
  'gauge, not read': { lines: read('gauge level 7', 'gauge_add level 2') },
  'histogram, incremented': { lines: read('observe_add spans 2'), says: ['observe_add = 2'] },
  'metrics by number': { lines: read('metric level 7'), says: ['metric level = 0'] },
  // the ABI has no value for a histogram: the SDK panics in Envoy, too
  'histogram, read': { lines: read('observed spans'), panics: /get metric of/ },
  'data of TCP, edited': {
    lines: [
      ...read('in downstream replace_body x', 'in downstream prepend_body x'),
      ...read('in downstream append_body x', 'in upstream replace_body x'),
      ...read('in upstream prepend_body x', 'in upstream append_body x'),
    ],
    sent: 'hello',
  },
  'resume TCP': { lines: read('resume_downstream'), sent: 'hello' },
  // not implemented in Envoy either
  'resume the upstream of TCP': { lines: read('resume_upstream'), panics: /unexpected status: 12/ },
  'continue TCP': { lines: read('continue_tcp'), sent: 'hello' },
  // there is none: the stream goes on
  'close TCP': { lines: read('close_downstream', 'close_upstream'), sent: 'hello', body: 'ok' },
  reset: { lines: read('reset', 'pause'), status: 503 },
  'reset, response': { lines: response('reset_response', 'pause'), status: 503, sent: 'hello' },
  'clear routes': { lines: read('clear_routes'), status: 200 },
  'grpc call': {
    lines: [...read('grpc_call echo Say hi'), 'grpc_response in grpc body'],
    says: ['grpc_call sent', 'grpc_response 0 2', 'body = hi'],
  },
  'grpc call that fails': {
    lines: [...read('grpc_call echo Fail hi'), 'grpc_response grpc_status'],
    says: ['grpc_response 5 0', 'grpc_status 5 not here'],
  },
  'grpc call, refused': { lines: read('grpc_call nobody Say hi'), says: ['grpc_call refused'] },
  'grpc call, cancelled': {
    lines: read('grpc_call echo Say hi', 'grpc_cancel_call', 'grpc_cancel_call'),
    says: ['grpc_call sent', 'grpc_cancel_call refused: NotFound'],
  },
  'grpc stream': {
    lines: streamed('grpc_message', 'in grpc body'),
    says: ['grpc_open sent', 'grpc_initial 1', 'grpc_message 3', 'body = ask', 'grpc_closed 0'],
  },
  'grpc stream, metadata': {
    lines: [
      ...streamed('grpc_initial', 'in grpc pairs_bytes', 'in grpc get_bytes x-first'),
      'grpc_trailing in grpc_trailers pairs_bytes',
    ],
    says: [
      'grpc_initial 1',
      'pairs_bytes x-first=1',
      'get_bytes x-first = Some([49])',
      'grpc_trailing 1',
      'pairs_bytes x-last=9',
    ],
  },
  'grpc stream, sent in parts': {
    lines: read('grpc_open echo Count', 'grpc_send ask', 'grpc_close'),
    says: ['grpc_open sent'],
  },
  'grpc stream, cancelled': {
    lines: read('grpc_open echo Count', 'grpc_cancel_stream', 'grpc_send more'),
    says: ['grpc_open sent', 'grpc_send refused: NotFound'],
  },
}
