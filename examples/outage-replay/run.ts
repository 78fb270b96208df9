/** `node examples/outage-replay/run.ts`: plays it, and fails when a customer would have noticed. */
import { replay } from './replay.ts'

const { refusedByApply, refusedByGateway, different, coldIsSame, repaired } = await replay((line) =>
  console.log(line),
)
for (const answer of different) console.error(`\n${answer}`)
const reasons = [refusedByApply.length, refusedByGateway.length, repaired]
if (different.length > 0 || !coldIsSame || reasons.some((count) => count !== 43)) {
  process.exitCode = 1
}
