/** Plan, sign, apply: what is written is what was signed, and what gateways would not take is refused. */
import { beforeAll, describe, expect, it } from 'vitest'
import { parseTrustedKeys } from '../signing/public-key.ts'
import { newPrivateKey, readPrivateKey, signPointer } from '../signing/sign-pointer.ts'
import type { SigningKey } from '../signing/sign-pointer.ts'
import { CATALOG, plugin } from '../testing/resources.ts'
import { BASE, version, world } from '../testing/writer-world.ts'
import type { WriterWorld } from '../testing/writer-world.ts'
import type { ApplyResult } from './apply-request.ts'

let ours: SigningKey
let next: SigningKey

beforeAll(async () => {
  ours = await readPrivateKey(await newPrivateKey())
  next = await readPrivateKey(await newPrivateKey())
})

const trusting = (...keys: readonly SigningKey[]) =>
  parseTrustedKeys(keys.map(({ publicKey }) => publicKey).join()).keys

function trustful(...keys: readonly SigningKey[]): WriterWorld {
  const here = world()
  here.trusted = trusting(...keys)
  return here
}

/** Plans and signs; `apply` as the command line does it. */
async function applySigned(
  here: WriterWorld,
  resources: readonly unknown[],
  key: SigningKey,
  expiresAt?: string,
): Promise<ApplyResult> {
  const signing = { keyId: key.keyId, ...(expiresAt !== undefined && { expiresAt }) }
  const plan = await here.apply(resources, { dryRun: true, signing })
  if (plan.result !== 'planned') return plan
  const pointer = await signPointer(plan.pointer, key)
  return here.apply(resources, { base: plan.base, pointer })
}

const codes = (result: ApplyResult): readonly string[] =>
  result.result === 'refused' ? result.problems.map(({ code }) => code) : [result.result]

describe('where keys are trusted', () => {
  it('writes exactly what was signed', async () => {
    const here = trustful(ours)
    expect(codes(await applySigned(here, BASE, ours, '2026-12-01T00:00:00Z'))).toEqual(['applied'])
    const pointer = here.active()
    expect(pointer?.signature?.keyId).toBe(ours.keyId)
    expect(pointer?.expiresAt).toBe('2026-12-01T00:00:00Z')
    expect(JSON.parse(here.values.get('revision.1') ?? '')).toMatchObject({
      signature: pointer?.signature,
      expiresAt: pointer?.expiresAt,
    })
  })

  it('writes nothing that is unsigned, or signed by another key, or expired', async () => {
    const here = trustful(ours)
    expect(codes(await here.apply(BASE))).toEqual(['config.signature_missing'])
    expect(codes(await applySigned(here, BASE, next))).toEqual(['config.signature_key_unknown'])
    expect(codes(await applySigned(here, BASE, ours, '2026-10-01T00:00:00Z'))).toEqual([
      'config.signature_expired',
    ])
    expect(here.values.size).toBe(0)
  })

  it('rolls back with a signature only', async () => {
    const here = trustful(ours)
    await applySigned(here, BASE, ours)
    await applySigned(here, [version('1.1.0')], ours)
    expect(codes(await here.rollback({ base: 2 }))).toEqual(['config.signature_missing'])
    const plan = await here.rollback({ dryRun: true, signing: { keyId: ours.keyId } })
    if (plan.result !== 'planned') throw new Error(plan.result)
    const pointer = await signPointer(plan.pointer, ours)
    expect(codes(await here.rollback({ base: 2, pointer }))).toEqual(['applied'])
    expect(here.active()).toEqual(pointer)
  })

  it('takes no pointer of somebody else for the active one', async () => {
    const here = trustful(ours)
    await applySigned(here, BASE, ours)
    const pointer = here.active()
    const { signature: _signed, ...forged } = { ...pointer, revision: 900 }
    here.values.set('active', JSON.stringify(forged))
    expect(codes(await applySigned(here, [plugin('q')], ours))).toEqual(['applied'])
    expect(here.active()?.revision).toBe(2)
  })

  it('leaves its own pointer in the store as it is, whoever signed it', async () => {
    const here = world()
    await here.apply(BASE)
    here.trusted = trusting(ours)
    await here.killedAt(Infinity, 'before', () => Promise.resolve())
    const written: string[] = []
    const set = here.values.set.bind(here.values)
    here.values.set = (key, text) => {
      written.push(key)
      return set(key, text)
    }
    expect((await here.history()).revision).toBe(1)
    await here.apply([plugin('q')], { dryRun: true })
    expect(written).toEqual([])
  })

  it('takes one that was signed and moved there by hand', async () => {
    const here = trustful(ours)
    await applySigned(here, BASE, ours)
    const { signature: _old, ...pointer } = here.active() ?? { revision: 0, snapshot: '' }
    const moved = { ...pointer, revision: 5, previous: null, issuedAt: '2026-11-01T00:00:00Z' }
    here.values.set('active', JSON.stringify(await signPointer(moved, ours)))
    expect(await here.apply([], { base: 1 })).toEqual({ result: 'conflict', current: 5 })
  })
})

describe('a plan that no longer holds', () => {
  it('is not written when the gateway would compile something else', async () => {
    const here = trustful(ours)
    const plan = await here.apply(BASE, { dryRun: true })
    if (plan.result !== 'planned') throw new Error(plan.result)
    const pointer = await signPointer(plan.pointer, ours)
    // deployed in between with a module of that name and version rebuilt
    const [first, ...others] = CATALOG
    here.catalog = first === undefined ? [] : [{ ...first, sha256: 'd'.repeat(64) }, ...others]
    await here.killedAt(Infinity, 'before', () => Promise.resolve())
    expect(codes(await here.apply(BASE, { base: 0, pointer }))).toEqual(['apply.plan_changed'])
    expect(here.values.size).toBe(0)
  })

  it('is a conflict when somebody else was first', async () => {
    const here = trustful(ours)
    const plan = await here.apply(BASE, { dryRun: true })
    if (plan.result !== 'planned') throw new Error(plan.result)
    const pointer = await signPointer(plan.pointer, ours)
    await applySigned(here, [plugin('q')], ours)
    expect(await here.apply(BASE, { base: 0, pointer })).toEqual({ result: 'conflict', current: 1 })
    expect(codes(await here.apply(BASE, { base: 1, pointer }))).toEqual(['apply.plan_changed'])
  })
})

describe('signing what runs already', () => {
  it('gives it a signature, another key, or more time, and nothing else for nothing', async () => {
    const here = world()
    await here.apply(BASE)
    const results: string[] = []
    const again = async (key: SigningKey, expiresAt?: string): Promise<void> => {
      results.push(...codes(await applySigned(here, BASE, key, expiresAt)))
    }
    await again(ours)
    await again(ours)
    await again(next)
    await again(next, '2027-01-01T00:00:00Z')
    await again(next, '2027-02-01T00:00:00Z')
    expect(results).toEqual(['applied', 'unchanged', 'applied', 'applied', 'applied'])
    expect(here.active()).toMatchObject({ revision: 5, expiresAt: '2027-02-01T00:00:00Z' })
    expect(codes(await here.apply(BASE, { base: 5 }))).toEqual(['unchanged'])
  })
})

it('changes keys without a gap: trust both, sign with the new one, drop the old one', async () => {
  const here = trustful(ours)
  await applySigned(here, BASE, ours)
  const deploy = async (...keys: readonly SigningKey[]): Promise<void> => {
    here.trusted = trusting(...keys)
    await here.killedAt(Infinity, 'before', () => Promise.resolve())
  }
  await deploy(ours, next)
  expect(codes(await applySigned(here, [version('1.1.0')], next))).toEqual(['applied'])
  await deploy(next)
  expect(codes(await applySigned(here, [plugin('q')], ours))).toEqual([
    'config.signature_key_unknown',
  ])
  expect(codes(await applySigned(here, [plugin('q')], next))).toEqual(['applied'])
})
