/** What a comparison with a real Envoy has taught (`npm run compare:envoy`), one test for each lesson. */
import { describe, expect, it } from 'vitest'
import { calls, play } from '../support/play.ts'

describe('header maps', () => {
  it('the size of a map is the bytes of its names and values', async () => {
    const request = new Request('http://shop.example/', { headers: { 'x-a': '123' } })
    const { lines } = await play({ request_headers: [{ call: 'map_size' }] }, { request })
    const pseudo = ':authorityshop.example:path/:methodGET:schemehttp'
    expect(calls(lines, 'map_size')).toMatchObject([{ map_size: `${pseudo}x-a123`.length }])
  })
})
