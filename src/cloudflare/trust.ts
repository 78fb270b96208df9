/** `TRUSTED_KEYS` → whose signatures count, and the policy object as the one that remembers. */
import type { ActivePointer } from '../config/active-pointer.ts'
import { parseTrustedKeys } from '../config/signing/public-key.ts'
import type { TrustedKeys } from '../config/signing/public-key.ts'
import type { Env } from './env.ts'
import type { PolicyObjectBase } from './policy-object.ts'

type Admission = Awaited<ReturnType<PolicyObjectBase['admit']>>

/** The keys; undefined where none are configured. What is no key is logged, and trusted by nobody. */
export function trustedKeys(env: Env): TrustedKeys | undefined {
  const { keys, wrong } = parseTrustedKeys(env.TRUSTED_KEYS)
  for (const why of wrong) console.error(`TRUSTED_KEYS: ${why}`)
  return keys
}

/** What a gateway checks pointers with; undefined where it checks none. */
export function pointerTrust(env: Env):
  | {
      readonly keys: TrustedKeys
      admit(pointer: ActivePointer): Promise<Admission>
    }
  | undefined {
  const keys = trustedKeys(env)
  return (
    keys && {
      keys,
      // a stub belongs to the request that made it
      admit: (pointer) => env.POLICY.getByName('policy').admit(pointer),
    }
  )
}
