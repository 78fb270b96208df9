/**
 * The messages of a plugin test file and their fields, once: what parses, what is refused and the types
 * of what comes out are all derived from here. The format is that of the plugin tester of Google's
 * Service Extensions.
 * @see https://github.com/GoogleCloudPlatform/service-extensions/blob/main/plugins/test/runner.proto
 */

export type ScalarType = 'string' | 'bytes' | 'bool' | 'uint32' | 'uint64' | 'int32' | 'int64'

export interface FieldShape {
  /** A scalar, the name of a message, or `LogLevel`. */
  readonly type: string
  readonly repeated?: true
  readonly required?: true
  /** Fields that exclude each other share this name; the format may ask for one of them. */
  readonly oneof?: string
}

export const MESSAGES = {
  StringMatcher: {
    invert: { type: 'bool' },
    exact: { type: 'bytes', oneof: 'matcher' },
    regex: { type: 'string', oneof: 'matcher' },
    file: { type: 'string', oneof: 'matcher' },
  },
  Header: {
    key: { type: 'string', required: true },
    value: { type: 'bytes' },
  },
  Input: {
    header: { type: 'Header', repeated: true, oneof: 'input' },
    content: { type: 'bytes', oneof: 'input' },
    file: { type: 'string', oneof: 'input' },
  },
  Immediate: {
    http_status: { type: 'uint32', required: true },
    grpc_status: { type: 'uint32' },
    details: { type: 'string' },
  },
  Expectation: {
    has_header: { type: 'Header', repeated: true },
    no_header: { type: 'Header', repeated: true },
    headers: { type: 'StringMatcher', repeated: true },
    body: { type: 'StringMatcher', repeated: true },
    immediate: { type: 'Immediate' },
    log: { type: 'StringMatcher', repeated: true },
  },
  Invocation: {
    input: { type: 'Input' },
    result: { type: 'Expectation' },
  },
  Property: {
    path: { type: 'string', required: true },
    value: { type: 'bytes' },
  },
  Test: {
    name: { type: 'string', required: true },
    benchmark: { type: 'bool' },
    num_chunks: { type: 'int32', oneof: 'body_chunking_plan' },
    chunk_size: { type: 'int64', oneof: 'body_chunking_plan' },
    properties: { type: 'Property', repeated: true },
    request_headers: { type: 'Invocation' },
    request_body: { type: 'Invocation', repeated: true },
    response_headers: { type: 'Invocation' },
    response_body: { type: 'Invocation', repeated: true },
    plugin_init: { type: 'Expectation' },
    stream_init: { type: 'Expectation' },
    stream_destroy: { type: 'Expectation' },
  },
  Env: {
    test_path: { type: 'string' },
    wasm_path: { type: 'string' },
    config_path: { type: 'string' },
    log_level: { type: 'LogLevel' },
    log_path: { type: 'string' },
    time_secs: { type: 'uint64' },
    num_additional_streams: { type: 'uint64' },
    additional_stream_advance_rate: { type: 'uint64' },
  },
  TestSuite: {
    env: { type: 'Env' },
    test: { type: 'Test', repeated: true },
  },
} as const

/** `LogLevel`: names and their numbers in the format, which are the ABI's plus one. */
export const LOG_LEVELS = {
  UNDEFINED: 0,
  TRACE: 1,
  DEBUG: 2,
  INFO: 3,
  WARN: 4,
  ERROR: 5,
  CRITICAL: 6,
} as const

export type MessageName = keyof typeof MESSAGES

/** Where something stands in a file, from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

interface Scalars {
  readonly string: string
  /** A byte string: each character is one byte. */
  readonly bytes: string
  readonly bool: boolean
  readonly uint32: number
  readonly uint64: number
  readonly int32: number
  readonly int64: number
  readonly LogLevel: number
}

type ValueOf<Type> = Type extends MessageName
  ? Message<Type>
  : Type extends keyof Scalars
    ? Scalars[Type]
    : never

type FieldOf<Field> = Field extends { readonly type: infer Type }
  ? Field extends { readonly repeated: true }
    ? readonly ValueOf<Type>[]
    : Field extends { readonly required: true }
      ? ValueOf<Type>
      : ValueOf<Type> | undefined
  : never

/** A message as it was read: repeated fields are lists, what was not set is undefined. */
export type Message<Name extends MessageName> = {
  readonly [Field in keyof (typeof MESSAGES)[Name]]: FieldOf<(typeof MESSAGES)[Name][Field]>
} & {
  /** Where it begins. */
  readonly at: Place
}
