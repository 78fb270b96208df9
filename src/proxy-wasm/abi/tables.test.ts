/** The tables against each other and against the code that they describe. */
import { describe, expect, it } from 'vitest'
import { contextFunctions } from '../hostcalls/contexts.ts'
import { bufferFunctions } from '../hostcalls/buffers.ts'
import { envExtras } from '../hostcalls/env-extras.ts'
import { foreignFunctions } from '../hostcalls/foreign.ts'
import { grpcCallFunctions } from '../hostcalls/grpc-calls.ts'
import { headerFunctions } from '../hostcalls/headers.ts'
import { httpCallFunctions } from '../hostcalls/http-calls.ts'
import { logAndTimeFunctions } from '../hostcalls/log-and-time.ts'
import { metricFunctions } from '../hostcalls/metrics.ts'
import { propertyFunctions } from '../hostcalls/properties.ts'
import { sharedDataFunctions } from '../hostcalls/shared-data.ts'
import { sharedQueueFunctions } from '../hostcalls/shared-queues.ts'
import { streamFunctions } from '../hostcalls/streams.ts'
import { wasiFunctions, type WasiHost } from '../hostcalls/wasi.ts'
import type { Vm } from '../vm/vm.ts'
import { CALLBACKS, callbackSignature } from './callbacks.ts'
import { ABI_VERSIONS } from './enums.ts'
import { HOST_FUNCTIONS } from './host-functions.ts'
import { WASI_FUNCTIONS } from './wasi-functions.ts'

const namesOf = (rows: readonly { readonly name: string }[]): string[] =>
  rows.map((row) => row.name).sort()

/** Enough of a vm to make the functions, which are not called here. */
const vm = {} as Vm
const wasiHost = { environment: [] } as unknown as WasiHost

describe('the host function table', () => {
  it('has exactly what the code has, and the vendors’ functions that are answered as unknown', () => {
    const implemented = [
      logAndTimeFunctions,
      contextFunctions,
      headerFunctions,
      bufferFunctions,
      streamFunctions,
      propertyFunctions,
      httpCallFunctions,
      grpcCallFunctions,
      sharedDataFunctions,
      sharedQueueFunctions,
      metricFunctions,
      foreignFunctions,
    ].flatMap((make) => Object.keys(make(vm)))
    const extras = Object.keys(envExtras(() => {}))
    const rows = HOST_FUNCTIONS.filter((row) => row.group !== 'vendor')
    expect(namesOf(rows)).toEqual([...implemented, ...extras].sort())
  })

  it('names no function twice', () => {
    expect(new Set(namesOf(HOST_FUNCTIONS)).size).toBe(HOST_FUNCTIONS.length)
  })

  it('differs between versions in these functions alone', () => {
    const inOneOnly = HOST_FUNCTIONS.filter(
      (row) => row.versions.length > 0 && row.versions.length < ABI_VERSIONS.length,
    )
    expect(inOneOnly.map((row) => `${row.name} ${row.versions.join(' ')}`).sort()).toEqual([
      'proxy_clear_route_cache 0.1.0',
      'proxy_close_stream 0.2.0 0.2.1',
      'proxy_continue_request 0.1.0',
      'proxy_continue_response 0.1.0',
      'proxy_continue_stream 0.2.0 0.2.1',
      'proxy_get_configuration 0.1.0',
      'proxy_get_log_level 0.2.1',
    ])
  })

  it('says why wherever support is not full', () => {
    for (const row of HOST_FUNCTIONS) {
      if (row.support !== 'full') expect(row.note, row.name).toBeTruthy()
    }
  })
})

describe('the WASI table', () => {
  it('has exactly what the code has', () => {
    expect(namesOf(WASI_FUNCTIONS)).toEqual(Object.keys(wasiFunctions(wasiHost)).sort())
  })
})

describe('the callback table', () => {
  it('names no callback twice', () => {
    expect(new Set(namesOf(CALLBACKS)).size).toBe(CALLBACKS.length)
  })

  it('has no end of stream in the headers callbacks of 0.1.0', () => {
    const headers = CALLBACKS.find((row) => row.name === 'proxy_on_request_headers')
    if (headers === undefined) throw new Error('no proxy_on_request_headers')
    expect(callbackSignature(headers, '0.1.0').params).toHaveLength(2)
    expect(callbackSignature(headers, '0.2.0').params).toHaveLength(3)
    expect(callbackSignature(headers, '0.2.1').results).toEqual(['i32'])
  })

  it('says why wherever a callback is never called', () => {
    for (const row of CALLBACKS) {
      if (row.support === 'never') expect(row.note, row.name).toBeTruthy()
    }
  })
})
