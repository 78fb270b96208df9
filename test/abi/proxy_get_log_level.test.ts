/** `proxy_get_log_level`: the least level that is logged. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_get_log_level', { args: [{ out: 0 }], slots: ['0', '0', '0', '0'] })
