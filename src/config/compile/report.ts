/** How the parts of the compilation say what they found. */
import type { Problem } from '../problem.ts'
import { resourceKey } from '../resources/resource-key.ts'

/** @param resource the one the problem is about */
export type Report = (problem: Pick<Problem, 'code' | 'message' | 'path'>, resource: object) => void

/** What is reported goes to the end of `problems`; what has no effect is a warning, all else an error. */
export function reportInto(problems: Problem[]): Report {
  return ({ code, path, message }, resource) => {
    const severity = code === 'config.no_effect' ? 'warning' : 'error'
    problems.push({ code, severity, resource: resourceKey(resource), path, message })
  }
}
