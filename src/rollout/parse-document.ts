/** The value of the key `rollouts` as a node reads it: whatever stands there, it comes to no harm. */
import { ROLLOUT_MODES } from '../config/snapshot-rollout.ts'
import type { RolloutsDocument } from './record.ts'
import type { Move } from './state.ts'

/**
 * @param text - null when there is no such key
 * @returns undefined when it is none; what is known goes on then
 */
export function parseRollouts(text: string | null): RolloutsDocument | undefined {
  if (text === null) return undefined
  try {
    return rolloutsIn(JSON.parse(text))
  } catch {
    return undefined
  }
}

/**
 * @param value - parsed JSON, from wherever
 * @returns undefined when it is none
 */
export function rolloutsIn(value: unknown): RolloutsDocument | undefined {
  return isDocument(value) ? value : undefined
}

function isDocument(value: unknown): value is RolloutsDocument {
  return (
    isObject(value) &&
    isVersion(value['version']) &&
    isPublisher(value['publisher']) &&
    isObject(value['rollouts']) &&
    Object.values(value['rollouts']).every(isRollout) &&
    Array.isArray(value['kills']) &&
    value['kills'].every(isKill)
  )
}

/** There is room above each, for what comes next. */
const VERSION_MAX = 2 ** 52

function isVersion(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value <= VERSION_MAX
}

function isPublisher(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '' && value.length <= 64)
}

function isRollout(value: unknown): boolean {
  if (!isObject(value)) return false
  const { run, candidate, moves } = value
  return (
    Number.isSafeInteger(run) &&
    typeof candidate === 'string' &&
    Array.isArray(moves) &&
    moves.every(isMove)
  )
}

function isMove(value: unknown): value is Move {
  if (!isObject(value)) return false
  const { effectiveAt, weight, mode = 'enforce', selector = {} } = value
  return (
    Number.isFinite(effectiveAt) &&
    typeof weight === 'number' &&
    weight >= 0 &&
    weight <= 100 &&
    MODES.has(mode) &&
    isSelector(selector)
  )
}

const MODES: ReadonlySet<unknown> = new Set(ROLLOUT_MODES)

function isKill(value: unknown): boolean {
  if (!isObject(value)) return false
  const { plugin, selector = {} } = value
  return typeof plugin === 'string' && isSelector(selector)
}

function isSelector(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((label) => typeof label === 'string')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
