/**
 * The building blocks of the kinds: field shapes, and what is said about a field beside its shape.
 * A schema says what a field looks like; the `About` pinned to it says what it means, and whether it
 * is outside the supported subset or without effect here. `check-fields.ts` and the generated
 * `docs/CONFIG.md` both read it.
 */
import * as v from 'valibot'
import { text } from '../text-field.ts'

export { sha256Text, text } from '../text-field.ts'

type Schema = v.GenericSchema

export interface About {
  /** What the field means, for docs/CONFIG.md. */
  readonly about?: string | undefined
  /** The default, as an operator would write it. */
  readonly default?: string | undefined
  /** Set on a field that is accepted and changes nothing here: why. */
  readonly noEffect?: string
  /** Set on a field that is refused by name: why, and what to do instead. */
  readonly outside?: string
  /** Values that exist elsewhere and are refused here: value → why. */
  readonly outsideValues?: Readonly<Record<string, string>>
}

type Described<S extends Schema> = v.SchemaWithPipe<
  readonly [S, v.MetadataAction<v.InferOutput<S>, Record<string, unknown>>]
>

/** Pins what is said about a field to its schema. */
export function described<S extends Schema>(schema: S, about: About): Described<S> {
  return v.pipe(schema, v.metadata({ ...about }))
}

/** A field that may be absent, where its type has to be written out. */
export type OptionalField<T> = v.ExactOptionalSchema<v.GenericSchema<T>, undefined>

/** A field that is refused by name. @param why the reason and what to do instead */
export function outside(why: string): v.ExactOptionalSchema<Described<v.UnknownSchema>, undefined> {
  return v.exactOptional(described(v.unknown(), { outside: why }))
}

/** A field that is accepted in any shape and changes nothing here. */
export function ignored(why: string): v.ExactOptionalSchema<Described<v.UnknownSchema>, undefined> {
  return v.exactOptional(described(v.unknown(), { noEffect: why }))
}

/**
 * One of several words.
 * @param options the words that work here
 * @param about what is said about the field; its `outsideValues` are refused by name
 */
export function choice<const T extends string>(
  options: readonly T[],
  about: About,
): v.GenericSchema<T> {
  const known: readonly string[] = [...options, ...Object.keys(about.outsideValues ?? {})]
  const schema = described(v.picklist(known, `expected one of ${options.join(', ')}`), about)
  // Sound: a value of `outsideValues` is reported by the check, so nothing reads it as a T.
  return schema as unknown as v.GenericSchema<T>
}

/** A whole number within bounds. */
export function whole(min: number, max: number): v.GenericSchema<number> {
  const expected = `expected a whole number from ${min} to ${max}`
  return v.pipe(
    v.number(),
    v.safeInteger(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  )
}

/** A share of a hundred; fractions are allowed. */
export const percent: v.GenericSchema<number> = v.pipe(
  v.number(),
  v.minValue(0, 'expected a number from 0 to 100'),
  v.maxValue(100, 'expected a number from 0 to 100'),
)

/** The name of a header or of a query parameter. */
export const fieldName: v.GenericSchema<string> = text(
  /^[!-~]{1,256}$/,
  'the name of a header or a query parameter, without spaces',
)

/** A JSON object with any members. */
export const jsonObject: v.GenericSchema<Readonly<Record<string, unknown>>> = v.custom<
  Readonly<Record<string, unknown>>
>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
)

/** The name of a resource: a DNS subdomain, as in Kubernetes, and none that every JS object has. */
export const resourceName: v.GenericSchema<string> = text(
  /^(?!constructor$|prototype$)(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a name of lower-case letters, digits, "-" and "."',
)

/** The name of a namespace: a DNS label, so it never holds a dot. */
export const namespaceName: v.GenericSchema<string> = text(
  /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  'a name of lower-case letters, digits and "-"',
)

/** The name of an environment variable or a binding. */
export const identifier: v.GenericSchema<string> = text(
  /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
  'letters, digits and "_", not starting with a digit',
)

/** RFC 9110 token: the name of a header. */
export const headerName: v.GenericSchema<string> = text(
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/,
  'the name of a header',
)
