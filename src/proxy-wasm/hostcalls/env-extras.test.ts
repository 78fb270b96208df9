/** What Emscripten and AssemblyScript import beside the ABI. */
import { describe, expect, it } from 'vitest'
import { LogLevel } from '../abi/enums.ts'
import { GuestTrap } from '../errors.ts'
import { envExtras } from './env-extras.ts'

/** Runs `abort` on strings placed as AssemblyScript places them; answers what was logged and thrown. */
function abortWith(
  args: [message: number, file: number, line: number, column: number],
  memory?: ArrayBuffer,
): { logged: [LogLevel, string][]; thrown: unknown } {
  const logged: [LogLevel, string][] = []
  const extras = envExtras(
    (level, message) => logged.push([level, message]),
    memory && (() => memory),
  )
  try {
    extras.abort(...(args as unknown as never[]))
    return { logged, thrown: undefined }
  } catch (thrown) {
    return { logged, thrown }
  }
}

function memoryWith(texts: Readonly<Record<number, string>>): ArrayBuffer {
  const memory = new ArrayBuffer(256)
  const view = new DataView(memory)
  for (const [at, text] of Object.entries(texts)) {
    view.setUint32(Number(at) - 4, text.length * 2, true)
    for (let i = 0; i < text.length; i++) {
      view.setUint16(Number(at) + i * 2, text.charCodeAt(i), true)
    }
  }
  return memory
}

describe('abort', () => {
  it('logs message, file, line and column, then ends the guest', () => {
    const memory = memoryWith({ 8: 'index öut of range', 64: 'assembly/index.ts' })
    const { logged, thrown } = abortWith([8, 64, 12, 5], memory)
    const message = 'the plugin aborted: index öut of range at assembly/index.ts:12:5'
    expect(logged).toEqual([[LogLevel.Critical, message]])
    expect(thrown).toBeInstanceOf(GuestTrap)
  })

  it.each([
    ['null pointers', [0, 0, 1, 1]],
    ['addresses outside of memory', [-1, 300, 1, 1]],
    ['sizes beyond the end', [8, 8, 1, 1]],
  ] as const)('survives %s', (_, args) => {
    const memory = new ArrayBuffer(256)
    new DataView(memory).setUint32(4, 0xffff_fff0, true)
    const { logged, thrown } = abortWith([...args], memory)
    expect(logged[0]?.[1]).toContain('(unknown file):1:1')
    expect(thrown).toBeInstanceOf(GuestTrap)
  })

  it('reports numbers where it may not read memory', () => {
    expect(abortWith([8, 64, 3, 4]).logged[0]?.[1]).toContain('message at 8')
  })
})

describe('Emscripten', () => {
  const extras = envExtras(() => {})

  it('pthread_equal compares ids', () => {
    expect(extras.pthread_equal(...([1, 1] as never[]))).toBe(1)
    expect(extras.pthread_equal(...([1, 2] as never[]))).toBe(0)
  })

  it('memory growth needs nothing done', () => {
    expect(extras.emscripten_notify_memory_growth(...([0] as never[]))).toBeUndefined()
  })
})
