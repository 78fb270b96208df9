/** `proxy_continue_response`: responses resumed in 0.1.0. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_continue_response', { args: [], phase: 'response_headers' })
