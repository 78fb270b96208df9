/** `node examples/retail-rollout/run.ts`: tells it, and fails when it went otherwise than it should. */
import { tell } from './story.ts'

const { change, hasty, careful, letIn, failed, requests } = await tell((line) => console.log(line))

const wrong = [
  change.phase !== 'complete' && `the change ended ${change.phase}: ${change.reason}`,
  Object.keys(change.denied).length > 0 && 'the change turned customers away',
  letIn !== 1 && `${letIn * 100} % with their own phone could pay, not all`,
  hasty.phase !== 'rolled-back' && `the hasty one ended ${hasty.phase}: ${hasty.reason}`,
  Object.keys(hasty.denied).join() !== 'berlin' && 'the hasty one was not held to berlin',
  careful.phase !== 'rolled-back' && `the careful one ended ${careful.phase}: ${careful.reason}`,
  Object.keys(careful.denied).length > 0 && 'the shadow turned customers away',
  failed > 0 && `${failed} requests failed`,
].filter((one) => one !== false)

console.log(`\n${requests} requests, ${failed} failed.`)
for (const one of wrong) console.error(one)
if (wrong.length > 0) process.exitCode = 1
