import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Four kinds of test, by what they need. `npm test` runs them all.
const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    // tests of the gateway wait more than they compute: a core that is left free, as is usual, waits as well
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        // beside the code: no wasm file, no Worker, milliseconds
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'plugins/*.test.ts'],
          // those that try thousands of cases, on a machine that does other things as well
          testTimeout: 30_000,
        },
      },
      {
        // the machine, the command line and the example with real .wasm, in Node
        resolve: { alias: { 'postern/testing': `${import.meta.dirname}/src/testing/index.ts` } },
        test: {
          name: 'node',
          include: [
            'examples/plugin-test/*.test.ts',
            'test/machine/**/*.test.ts',
            'test/abi/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/cli/**/*.test.ts',
            'test/*.test.ts',
          ],
          testTimeout: 30_000,
        },
      },
      {
        // the built Worker in workerd, with real KV, Durable Objects and servers on loopback
        test: {
          name: 'gateway',
          globalSetup: ['test/support/bundle-once.ts'],
          include: ['test/gateway/**/*.test.ts', 'examples/miniflare-test/*.test.ts'],
          // a minute of broken stores and outages: `npm run test:chaos`, which CI runs as well
          exclude: process.env['CHAOS'] ? [] : ['test/gateway/chaos/{chaos,outage}.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})

export default config
