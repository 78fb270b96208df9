/**
 * Puts what an operator sends beside what is there: a resource of the same kind, namespace and name
 * is replaced, the others stay, as with kubectl.
 */
import type { Problem } from '../problem.ts'
import { checkResource } from '../resources/check-resource.ts'
import type { Resource } from '../resources/kinds.ts'
import { resourceKey } from '../resources/resource-key.ts'

export interface Merged {
  /** Sorted by key; absent when a problem is an error. */
  readonly resources?: readonly Resource[]
  readonly problems: readonly Problem[]
}

/**
 * @param sent documents, unchecked; their warnings are among the problems
 * @param stored the resources behind what runs; undefined when nobody wrote them down
 */
export function mergeResources(
  sent: readonly unknown[],
  stored: readonly unknown[] | undefined,
): Merged {
  if (stored === undefined) {
    const message =
      'what runs now was not written by an apply, so the resources behind it are not known; send the full set, with prune'
    return {
      problems: [
        { code: 'config.resources_unknown', severity: 'error', resource: '', path: [], message },
      ],
    }
  }
  const problems: Problem[] = []
  const resources = new Map<string, Resource>()
  for (const document of sent) {
    const checked = checkResource(document)
    problems.push(...checked.problems)
    if (checked.resource === undefined) continue
    const key = resourceKey(checked.resource)
    if (resources.has(key)) {
      const message = `${key} is there twice`
      problems.push({
        code: 'config.duplicate',
        severity: 'error',
        resource: key,
        path: [],
        message,
      })
    }
    resources.set(key, checked.resource)
  }
  for (const document of stored) {
    const checked = checkResource(document)
    const key = checked.resource === undefined ? '' : resourceKey(checked.resource)
    if (checked.resource !== undefined && !resources.has(key)) resources.set(key, checked.resource)
    // A stored resource was accepted once; only a later Postern can find an error in it.
    else if (checked.resource === undefined && isStillThere(document, resources)) {
      problems.push(...checked.problems)
    }
  }
  if (problems.some((problem) => problem.severity === 'error')) return { problems }
  const sorted = [...resources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  return { resources: sorted, problems }
}

function isStillThere(document: unknown, resources: ReadonlyMap<string, Resource>): boolean {
  return typeof document !== 'object' || document === null || !resources.has(resourceKey(document))
}
