/** `proxy_inject_encoded_data_to_filter_chain`: an extension of Higress that links here and says that it does nothing. */
import { describeVendor } from '../support/vendor.ts'

describeVendor('proxy_inject_encoded_data_to_filter_chain')
