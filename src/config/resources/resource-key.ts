/**
 * Names a resource: `Kind namespace/name`. Two documents with one key are one resource.
 * @param value a resource, or a document on its way to be one; missing parts are left empty
 */
import { DEFAULT_NAMESPACE } from './metadata.ts'

export function resourceKey(value: object): string {
  const kind = stringAt(value, 'kind')
  const metadata = 'metadata' in value ? value.metadata : undefined
  if (typeof metadata !== 'object' || metadata === null) return kind
  const namespace = stringAt(metadata, 'namespace') || DEFAULT_NAMESPACE
  const name = stringAt(metadata, 'name')
  return name === '' ? kind : `${kind} ${namespace}/${name}`
}

function stringAt(value: object, key: string): string {
  const member: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  return typeof member === 'string' ? member : ''
}
