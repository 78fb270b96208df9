/** `proxy_set_upstream_override_host`: an extension of Higress that links here and says that it does nothing. */
import { describeVendor } from '../support/vendor.ts'

describeVendor('proxy_set_upstream_override_host')
