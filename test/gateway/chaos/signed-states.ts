/** What can be wrong with a pointer where keys are trusted. What is right about it is signed by the key. */
import { canonicalJson } from '../../../src/config/canonical.ts'
import type { ActivePointer } from '../../../src/config/active-pointer.ts'
import type { SigningKey } from '../../../src/config/signing/sign-pointer.ts'
import { signPointer } from '../../../src/config/signing/sign-pointer.ts'
import type { State } from './state.ts'
import type { World } from './world.ts'

export interface Keys {
  /** The gateway trusts it. */
  readonly ours: SigningKey
  readonly theirs: SigningKey
}

const PAST = '2020-01-01T00:00:00.000Z'

/** Writes a pointer as it is. */
export function put(world: World, pointer: ActivePointer): void {
  world.store.values.set('active', canonicalJson(pointer))
}

/** @param keys - asked when a state is made: they are made for each run */
export function signedStates(keys: () => Keys): readonly State[] {
  const refused = (
    what: string,
    code: string,
    forge: (pointer: ActivePointer, world: World) => ActivePointer | Promise<ActivePointer>,
  ): State => ({
    what,
    arrange: async (world) => put(world, await forge(world.pointer(world.next.hash), world)),
    code,
    warm: { serves: 'good', live: false },
    cold: 'none',
  })
  return [
    {
      what: 'signed by a key that is trusted',
      arrange: async (world) =>
        put(world, await signPointer(world.pointer(world.next.hash), keys().ours)),
      code: null,
      warm: { serves: 'next', live: true },
      cold: 'next',
    },
    refused('not signed', 'config.signature_missing', (pointer) => pointer),
    refused('signed by somebody else', 'config.signature_key_unknown', (pointer) =>
      signPointer(pointer, keys().theirs),
    ),
    refused(
      'signed by somebody else in the name of the key',
      'config.signature_invalid',
      async (pointer) => {
        const { ours, theirs } = keys()
        return signPointer(pointer, { ...theirs, keyId: ours.keyId })
      },
    ),
    refused('changed after it was signed', 'config.signature_invalid', async (pointer, world) => {
      const signed = await signPointer({ ...pointer, snapshot: world.good.hash }, keys().ours)
      return { ...signed, snapshot: pointer.snapshot }
    }),
    refused('an old one under a new number', 'config.signature_invalid', async (pointer) => {
      const signed = await signPointer({ ...pointer, revision: 1 }, keys().ours)
      return { ...signed, revision: pointer.revision }
    }),
    refused('given another time to expire', 'config.signature_invalid', async (pointer) => {
      const signed = await signPointer({ ...pointer, expiresAt: PAST }, keys().ours)
      return { ...signed, expiresAt: '2099-01-01T00:00:00.000Z' }
    }),
    refused('expired', 'config.signature_expired', (pointer) =>
      signPointer({ ...pointer, expiresAt: PAST }, keys().ours),
    ),
    refused('signed with half a signature', 'config.pointer_invalid', async (pointer) => {
      const { signature, ...signed } = await signPointer(pointer, keys().ours)
      const { keyId = '', value = '' } = signature ?? {}
      return { ...signed, signature: { keyId, value: value.slice(0, 43) } }
    }),
  ]
}
