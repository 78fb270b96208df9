/**
 * The second module of the Worker: what changes the configuration, what takes rollouts forward, and what checks tokens of Cloudflare
 * Access. It is built to a file of its own (`scripts/build-control.ts`) and loaded on first use
 * (`cloudflare/load-control.ts`): an isolate that only serves requests never runs it. Nothing of the
 * first module may import what is in here, types aside; `test/architecture.test.ts` holds that.
 */
export { AccessToken } from './admin/access-token.ts'
export { previewPage } from './admin/preview-page.ts'
export { parseReport } from './admin/report-request.ts'
export { PolicyWriter } from './config/apply/policy-writer.ts'
export { REFUSAL_CODES } from './config/refusal-codes.ts'
export { activeVersions } from './rollout/active-versions.ts'
export { RolloutController } from './rollout/controller.ts'
export { RolloutError } from './rollout/rollout-error.ts'
export { countsOf } from './rollout/rollout-samples.ts'
