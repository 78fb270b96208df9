/** `envoy_resolve_dns`: an extension of Envoy that links here and says that it does nothing. */
import { describeVendor } from '../support/vendor.ts'

describeVendor('envoy_resolve_dns')
