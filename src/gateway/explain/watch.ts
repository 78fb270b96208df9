/**
 * Watches what each plugin does in one stream: a wrapper around each of a vm's callbacks compares
 * headers and bodies before and after. It is put around vms of a sandbox alone, so that the machine needs no
 * hook for it and the gateway's own vms pay nothing.
 */
import {
  BufferType,
  describeError,
  type HeaderMap,
  type LogEntry,
  type LogPort,
  MapType,
  type Plugin,
} from '../../proxy-wasm/index.ts'
import { type HeaderChange, headerChanges } from '../../proxy-wasm/stream/header-changes.ts'
import type { Context } from '../../proxy-wasm/vm/context.ts'
import type { GuestCallbacks, GuestFunction } from '../../proxy-wasm/vm/guest-callbacks.ts'
import type { RootContext } from '../../proxy-wasm/vm/root-context.ts'
import type { Vm } from '../../proxy-wasm/vm/vm.ts'

/** What one callback of a plugin did. Members that are undefined are left out of the JSON. */
export interface Step {
  readonly plugin: string
  /** `request headers`, `response body`, `http call response`, … */
  readonly callback: string
  /** `continue` or `pause`, where the callback's answer means that. */
  readonly returned: 'continue' | 'pause' | undefined
  /** Absent: it changed none. */
  readonly requestHeaders: readonly HeaderChange[] | undefined
  readonly responseHeaders: readonly HeaderChange[] | undefined
  /** Bytes that the plugin saw and left, where it changed them. */
  readonly body: { readonly before: number; readonly after: number } | undefined
  /** It answered in place of the upstream. */
  readonly replied: true | undefined
  /** Its vm ended. */
  readonly trapped: string | undefined
  readonly logs: readonly Line[]
}

export interface Line {
  readonly level: number
  readonly message: string
}

/** Lines and steps beyond this are counted, not kept. */
const LINES = 500
const STEPS = 500

/** Callbacks that belong to a stream, by their field; the bodies are looked at in two of them. */
const WATCHED = [
  'requestHeaders',
  'requestBody',
  'responseHeaders',
  'responseBody',
  'httpCallResponse',
  'grpcInitialMetadata',
  'grpcReceive',
  'grpcTrailingMetadata',
  'grpcClose',
  'log',
  'done',
] as const
type Watched = (typeof WATCHED)[number]

const BODIES: Partial<Readonly<Record<Watched, BufferType>>> = {
  requestBody: BufferType.HttpRequestBody,
  responseBody: BufferType.HttpResponseBody,
}

export class Watch {
  readonly steps: Step[] = []
  /** What was logged outside of a callback: while starting, or by the host. */
  readonly lines: (Line & { readonly plugin: string })[] = []
  /** Given to the vms that are watched. */
  readonly log: LogPort
  readonly #vms = new Set<Vm>()
  #current: Line[] | undefined
  #count = 0
  #request: HeaderMap | undefined
  #response: HeaderMap | undefined

  /** @param level - the least level of lines that are kept */
  constructor(level: LogPort['level']) {
    this.log = { level, log: (entry) => this.#line(entry) }
  }

  #line({ level, message, plugin }: LogEntry): void {
    if (this.#count++ >= LINES) return
    if (this.#current === undefined) this.lines.push({ level, message, plugin })
    else this.#current.push({ level, message })
  }

  /** From now on what a plugin's vm does is seen. @param root - the plugin's, which runs */
  follow(plugin: Plugin, root: RootContext): void {
    const { vm } = root
    if (this.#vms.has(vm)) return
    this.#vms.add(vm)
    // made for this one vm, and read at each call: what is put there is what runs
    const callbacks = vm.callbacks as {
      -readonly [field in keyof GuestCallbacks]: GuestCallbacks[field]
    }
    for (const field of WATCHED) {
      const callback = callbacks[field]
      if (callback !== undefined) callbacks[field] = this.#watched(field, callback, vm, plugin)
    }
  }

  #watched(field: Watched, callback: GuestFunction, vm: Vm, { counts }: Plugin): GuestFunction {
    return (...args) => {
      const { context } = vm
      const { name } = context.root.spec
      const logs: Line[] = []
      this.#look(context)
      const before = this.#state(field, context, counts.replies)
      let returned: number | undefined
      let trapped: string | undefined
      this.#current = logs
      try {
        return (returned = callback(...args))
      } catch (error) {
        trapped = describeError(error)
        throw error
      } finally {
        this.#current = undefined
        this.#look(vm.context)
        const after = this.#state(field, vm.context, counts.replies)
        const answers = trapped === undefined && PAUSES.has(field)
        const step: Step = {
          plugin: name,
          callback: field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
          returned: answers ? (returned ? 'pause' : 'continue') : undefined,
          requestHeaders: headerChanges(before.request, after.request),
          responseHeaders: headerChanges(before.response, after.response),
          body: sameBytes(before.body, after.body)
            ? undefined
            : { before: before.body.length, after: after.body.length },
          replied: after.replies > before.replies || undefined,
          trapped,
          logs,
        }
        if (this.steps.length < STEPS && tells(step)) this.steps.push(step)
      }
    }
  }

  /** A callout's answer comes to the root; whose stream it is only the guest knows. */
  #look(context: Context): void {
    this.#request = context.headerMap(MapType.HttpRequestHeaders) ?? this.#request
    this.#response = context.headerMap(MapType.HttpResponseHeaders) ?? this.#response
  }

  #state(field: Watched, context: Context, replies: number): State {
    const type = BODIES[field]
    const body = type === undefined ? undefined : context.buffer(type)
    return {
      request: this.#request?.lines.slice() ?? [],
      response: this.#response?.lines.slice() ?? [],
      body: body?.slice() ?? EMPTY,
      replies,
    }
  }
}

const EMPTY = new Uint8Array(0)
const PAUSES: ReadonlySet<Watched> = new Set<Watched>([
  'requestHeaders',
  'requestBody',
  'responseHeaders',
  'responseBody',
])

interface State {
  readonly request: readonly string[]
  readonly response: readonly string[]
  readonly body: Uint8Array
  readonly replies: number
}

/** The end of a stream is a step only when something came of it. */
function tells({ callback, logs, trapped }: Step): boolean {
  return (callback !== 'log' && callback !== 'done') || logs.length > 0 || trapped !== undefined
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
