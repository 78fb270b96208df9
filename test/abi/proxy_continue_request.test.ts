/** `proxy_continue_request`: requests resumed in 0.1.0. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_continue_request', { args: [] })
