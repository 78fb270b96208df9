/** `proxy_redis_call`: an extension of Higress that links here and says that it does nothing. */
import { describeVendor } from '../support/vendor.ts'

describeVendor('proxy_redis_call')
