const exportSection = 7
const headerSize = 8

/**
 * Callbacks every plugin keeps: without them an SDK does not know its contexts. The Rust SDK exports all callbacks, used or not, and a host must
 * then hand over bodies, trailers and connections that nobody reads.
 */
const lifecycle = new Set([
  'proxy_on_memory_allocate',
  'proxy_on_context_create',
  'proxy_on_vm_start',
  'proxy_on_configure',
  'proxy_on_delete',
])

/**
 * Drops the callbacks a plugin does not implement from its module's exports.
 *
 * @param module - a WebAssembly module
 * @param callbacks - names of the `proxy_on_*` exports to keep besides the lifecycle
 * @returns the module with the fewer exports; all other sections keep their bytes
 * @throws Error when a callback to keep is not exported
 */
export function trimExports(module: Uint8Array, callbacks: string[]): Uint8Array {
  const missing = new Set(callbacks)
  const parts: Uint8Array[] = [module.subarray(0, headerSize)]
  for (let at = headerSize; at < module.length;) {
    const size = readLeb(module, at + 1)
    const end = size.next + size.value
    if (module[at] !== exportSection) {
      parts.push(module.subarray(at, end))
    } else {
      const kept = readExports(module.subarray(size.next, end)).filter(({ name }) => {
        missing.delete(name)
        return !name.startsWith('proxy_on_') || lifecycle.has(name) || callbacks.includes(name)
      })
      const body = Buffer.concat([writeLeb(kept.length), ...kept.map(({ bytes }) => bytes)])
      parts.push(Uint8Array.of(exportSection), writeLeb(body.length), body)
    }
    at = end
  }
  if (missing.size > 0) throw new Error(`the module does not export ${[...missing].join(', ')}`)
  return Buffer.concat(parts)
}

function readExports(section: Uint8Array): { name: string; bytes: Uint8Array }[] {
  const count = readLeb(section, 0)
  const entries = []
  for (let at = count.next, index = 0; index < count.value; index++) {
    const size = readLeb(section, at)
    const kind = size.next + size.value
    const end = readLeb(section, kind + 1).next
    const name = new TextDecoder().decode(section.subarray(size.next, kind))
    entries.push({ name, bytes: section.subarray(at, end) })
    at = end
  }
  return entries
}

function readLeb(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, next: at }
  }
}

function writeLeb(value: number): Uint8Array {
  const bytes = []
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80)
  return Uint8Array.of(...bytes, value)
}
