/** `proxy_get_current_time_nanoseconds`: the wall clock. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_current_time_nanoseconds', { args: [{ out: 0 }] })
