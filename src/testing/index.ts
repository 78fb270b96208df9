/**
 * Plugin tests in TypeScript: the plugin runs in the gateway's own chain, the test says what comes in
 * and looks at what comes out.
 *
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { testPlugin } from 'postern/testing'
 *
 * const plugin = await testPlugin({
 *   wasm: readFileSync('plugin.wasm'),
 *   configuration: { upstream: 'authz' },
 *   upstreams: { authz: (call) => ({ status: call.headers.has('authorization') ? 200 : 403 }) },
 * })
 * const { request, response } = await plugin.request({ path: '/orders' })
 * ```
 * @module
 */
export { LogLevel } from '../proxy-wasm/index.ts'
export { readSuite, type Suite, type SuiteResult } from './format/read-suite.ts'
export { compileModule, type TestStream } from './plugin-under-test.ts'
export {
  runSuite,
  type SuiteOptions,
  type SuiteReport,
  type TestReport,
} from './suite/run-suite.ts'
export type { Callout, CalloutAnswer, Upstreams } from './test-callouts.ts'
export type {
  SeenRequest,
  SeenResponse,
  TestLogLine,
  TestRequest,
  TestResponse,
  TestResult,
} from './test-exchange.ts'
export { type HeadersLike, TestHeaders } from './test-headers.ts'
export { testPlugin, type TestedPlugin, type TestPluginOptions } from './test-plugin.ts'
