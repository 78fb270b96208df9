/** The shop on Workers: `npx wrangler dev -c examples/hono-middleware/worker/wrangler.toml`. */
import headerPolicy from '../../../plugins/header-policy/1.1.0.wasm'
import { shop } from '../app.ts'

export default shop(headerPolicy)
