/** `proxy_clear_route_cache`: the upstream picked again in 0.1.0. */
import { describeHostCall } from '../support/abi.ts'

describeHostCall('proxy_clear_route_cache', { args: [] })
