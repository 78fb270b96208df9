/**
 * Signs what a gateway says it will write, if that is what was asked for. Which resources its snapshot
 * holds only the gateway knows: for that its word, the difference it shows, has to do.
 */
import type { ApplyResult } from '../config/apply/apply-request.ts'
import type { ActivePointer } from '../config/active-pointer.ts'
import { parseActivePointer } from '../config/active-pointer.ts'
import type { SigningKey } from '../config/signing/sign-pointer.ts'
import { signPointer } from '../config/signing/sign-pointer.ts'
import { CommandError } from './command-error.ts'

/** A gateway's clock may be that wrong. */
const SKEW_MS = 10 * 60_000

/**
 * @param plan the gateway's answer
 * @param expiresAt what was asked for; undefined: that it never expires
 * @throws CommandError when the plan is not of what was asked, or for another time
 */
export async function signPlan(
  plan: Extract<ApplyResult, { result: 'planned' }>,
  key: SigningKey,
  expiresAt: string | undefined,
): Promise<ActivePointer> {
  const parsed = parseActivePointer(JSON.stringify(plan.pointer ?? null))
  const wrong = 'wrong' in parsed ? parsed.wrong : wrongPlan(plan, expiresAt)
  if (wrong === undefined) return signPointer(plan.pointer, key)
  const message = `The gateway asks for a signature over something else than was asked: ${wrong}. Nothing was signed`
  throw new CommandError('gateway.bad_answer', message)
}

function wrongPlan(
  { base, snapshot, pointer }: Extract<ApplyResult, { result: 'planned' }>,
  expiresAt: string | undefined,
): string | undefined {
  if (pointer.revision !== base + 1) return `revision ${pointer.revision} after ${base}`
  if (pointer.snapshot !== snapshot) return 'another snapshot than the one planned'
  if (pointer.expiresAt !== expiresAt) return `an expiry of ${pointer.expiresAt ?? 'never'}`
  const skew = Math.abs(Date.parse(pointer.issuedAt) - Date.now())
  return skew > SKEW_MS ? `the time ${pointer.issuedAt}` : undefined
}
