/**
 * A real gRPC-Web server: Connect's, on a Node HTTP server. The service is made from a descriptor, so
 * that no code is generated; its messages are `google.protobuf.StringValue`.
 */
import { createServer, type Server } from 'node:http'
import { create, createFileRegistry } from '@bufbuild/protobuf'
import type { GenService } from '@bufbuild/protobuf/codegenv2'
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  type StringValue,
  StringValueSchema,
} from '@bufbuild/protobuf/wkt'
import { type Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'

export const SERVICE = 'postern.test.Echo'

interface Method<Kind extends 'unary' | 'server_streaming'> {
  readonly methodKind: Kind
  readonly input: typeof StringValueSchema
  readonly output: typeof StringValueSchema
}

type EchoService = GenService<{
  readonly say: Method<'unary'>
  readonly count: Method<'server_streaming'>
}>

export interface GrpcServer {
  readonly url: string
  /** What the handlers have seen: method, message, headers, and whether the caller has left. */
  readonly calls: GrpcSeen[]
  stop(): Promise<void>
}

export interface GrpcSeen {
  readonly method: string
  readonly message: string
  readonly headers: Headers
  readonly left: () => boolean
}

/** @returns the bytes of a `StringValue` as a byte string, as the probe takes it (ASCII) */
export function stringValue(text: string): string {
  return text === '' ? '' : `\n${String.fromCharCode(text.length)}${text}`
}

/**
 * Starts it on a free port. `Say` answers its message again; `Count` streams `n` messages, or never
 * ends with `forever`. A message `fail:<code>:<text>` fails.
 */
export async function startGrpcServer(): Promise<GrpcServer> {
  const calls: GrpcSeen[] = []
  const see = (method: string, message: string, context: HandlerContext): void => {
    calls.push({
      method,
      message,
      headers: context.requestHeader,
      left: () => context.signal.aborted,
    })
    context.responseHeader.set('x-initial', `hello ${message.slice(0, 20)}`)
    context.responseHeader.set('x-data-bin', 'AAH/')
    context.responseTrailer.set('x-trailing', 'bye')
  }
  const handler = connectNodeAdapter({
    readMaxBytes: 16 * 1024 * 1024,
    routes(router) {
      router.service(echoService(), {
        async say(message: StringValue, context: HandlerContext) {
          see('Say', message.value, context)
          const [what, amount, text] = message.value.split(':')
          if (what === 'fail') throw new ConnectError(text ?? '', Number(amount) as Code)
          return create(StringValueSchema, { value: message.value })
        },
        async *count(message: StringValue, context: HandlerContext) {
          see('Count', message.value, context)
          const [what, amount, text] = message.value.split(':')
          const end = what === 'forever' ? Number.POSITIVE_INFINITY : Number(what)
          for (let i = 1; i <= end && !context.signal.aborted; i++) {
            yield create(StringValueSchema, { value: `#${i}` })
            if (what === 'forever') await new Promise((resolve) => setTimeout(resolve, 10))
          }
          if (amount !== undefined) throw new ConnectError(text ?? '', Number(amount) as Code)
        },
      })
    },
  })
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { url: `http://127.0.0.1:${address.port}`, calls, stop: () => stop(server) }
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function echoService(): EchoService {
  const type = '.google.protobuf.StringValue'
  const file = create(FileDescriptorProtoSchema, {
    name: 'postern/test/echo.proto',
    package: 'postern.test',
    syntax: 'proto3',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Echo',
        method: [
          { name: 'Say', inputType: type, outputType: type },
          { name: 'Count', inputType: type, outputType: type, serverStreaming: true },
        ],
      },
    ],
  })
  const set = create(FileDescriptorSetSchema, {
    file: [file_google_protobuf_wrappers.proto, file],
  })
  const service = createFileRegistry(set).getService(SERVICE)
  if (service === undefined) throw new Error('the descriptor has no service')
  return service as EchoService
}
