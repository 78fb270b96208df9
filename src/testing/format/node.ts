/**
 * What a parser makes of a test file, before anything is known of its fields: a tree in which
 * everything has its place. Text proto and YAML both become this.
 */
import type { Place } from './fields.ts'

export interface ScalarNode {
  readonly kind: 'scalar'
  /** A byte string. */
  readonly text: string
  /** It stood in quotes (in YAML: it is a string). */
  readonly quoted: boolean
  readonly at: Place
}

export interface MessageNode {
  readonly kind: 'message'
  /** In the order of the file; a repeated field comes once for each value. */
  readonly fields: readonly FieldNode[]
  readonly at: Place
}

export interface FieldNode {
  readonly name: string
  /** Nothing when the field was named and not given: an empty list, YAML's null. */
  readonly value: ScalarNode | MessageNode | undefined
  /** Of the name. */
  readonly at: Place
  /** It is one element of a list: a field that is not repeated takes none. */
  readonly listed: boolean
}

/** Something wrong in a test file. */
export interface FormatProblem extends Place {
  readonly message: string
}

/** Ends parsing at the first place that makes no sense. */
export class SyntaxProblem extends Error {
  readonly at: Place

  constructor(at: Place, message: string) {
    super(message)
    this.at = at
  }
}
