/** `proxy_get_configuration`: the configuration of 0.1.0. */
import { describeHostCall } from '../support/abi.ts'
import { describeReEntry } from '../support/re-entry.ts'

describeHostCall('proxy_get_configuration', { args: [{ out: 0 }, { out: 1 }], phase: 'configure' })

describeReEntry('proxy_get_configuration', {
  args: [{ out: 0 }, { out: 1 }],
  phase: 'configure',
  configuration: 'the configuration',
  returned: 'the configuration',
})
