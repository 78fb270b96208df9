/** Every row of the table of host functions has its file here and says what it may answer. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HOST_ANSWERS } from '../../src/proxy-wasm/abi/host-answers.ts'
import { HOST_FUNCTIONS } from '../../src/proxy-wasm/abi/host-functions.ts'

const names = HOST_FUNCTIONS.map((row) => row.name).sort()
const returning = HOST_FUNCTIONS.filter(
  ({ params, versions }) =>
    versions.length > 0 && params.some((param) => /^return_.*_data$/.test(param.name)),
).map((row) => row.name)
const files = readdirSync(import.meta.dirname).filter(
  (file) => file.endsWith('.test.ts') && file !== 'rows.test.ts',
)

describe('the table of host functions', () => {
  it('has a file of tests for each row, and no other files', () => {
    expect(files.sort()).toEqual(names.map((name) => `${name}.test.ts`).sort())
  })

  it.each(files)('%s tests the function it is named after', (file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8')
    const name = file.replace('.test.ts', '')
    expect(text).toContain(`'${name}'`)
  })

  it.each(returning)(
    '%s is tried while the guest that it returns data to calls the host',
    (name) => {
      const text = readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8')
      expect(text).toContain(`describeReEntry('${name}'`)
    },
  )

  it('says what each may answer', () => {
    expect([...HOST_ANSWERS.keys()].sort()).toEqual(names)
    const silent = new Set(
      HOST_FUNCTIONS.flatMap((row) => (row.group === 'toolchain' ? row.name : [])),
    )
    for (const [name, { statuses }] of HOST_ANSWERS) {
      expect(statuses.length > 0, name).toBe(!silent.has(name))
    }
  })
})
