/** `proxy_get_upstream_hosts`: an extension of Higress that links here and says that it does nothing. */
import { describeVendor } from '../support/vendor.ts'

describeVendor('proxy_get_upstream_hosts')
