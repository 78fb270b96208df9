/** The README's example of a release that spoils every plugin at once. */
import { expect, it } from 'vitest'
import { replay } from '../../examples/outage-replay/replay.ts'

it('43 plugins become unreadable at once: traffic goes on as it was, and there are 43 reasons', async () => {
  const { refusedByApply, refusedByGateway, requests, ...played } = await replay(() => undefined)
  expect(played).toMatchObject({
    revision: 2,
    different: [],
    coldIsSame: true,
    lastGood: 43,
    repaired: 43,
  })
  expect(new Set(refusedByApply).size).toBe(43)
  expect(new Set(refusedByGateway).size).toBe(43)
  for (const line of refusedByGateway) {
    expect(line).toMatch(
      /^\d{4}-\d\d-\d\dT\S+Z plugin\.configure_refused default\.\S+ did not start \(.+format.*\); its last good version runs$/,
    )
  }
  expect(requests).toBeGreaterThan(300)
})
