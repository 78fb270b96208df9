// Sticky variants: who carries the cookie stays, who does not draws one.
//
// json.ts and config.ts read the configuration, this file talks to the host.

// Named one by one: a host must do more for every callback that is exported.
export {
  proxy_abi_version_0_2_1,
  proxy_on_configure,
  proxy_on_context_create,
  proxy_on_request_headers,
  proxy_on_response_headers,
  proxy_on_vm_start,
} from '@gcoredev/proxy-wasm-sdk-as/assembly/exports'
export { malloc } from '@gcoredev/proxy-wasm-sdk-as/assembly/malloc'
import { proxy_on_delete as deleteStream } from '@gcoredev/proxy-wasm-sdk-as/assembly/exports'
import {
  Context,
  FilterHeadersStatusValues,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
  stream_context,
} from '@gcoredev/proxy-wasm-sdk-as/assembly'
import { Config } from './config'

class AbCookieRoot extends RootContext {
  config: Config = new Config()

  onConfigure(size: u32): bool {
    super.onConfigure(size)
    this.config = Config.parse(this.getConfiguration())
    if (this.config.error == '') return true
    log(LogLevelValues.error, 'ab-cookie: configuration refused: ' + this.config.error)
    return false
  }

  createContext(id: u32): Context {
    return new AbCookie(id, this)
  }
}

class AbCookie extends Context {
  /** The variant that was drawn for this request; empty when the cookie said one. */
  private drawn: string = ''

  constructor(
    id: u32,
    private root: AbCookieRoot,
  ) {
    super(id, root)
  }

  onRequestHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    const config = this.root.config
    let variant = cookieValue(stream_context.headers.request.get('cookie'), config.cookie)
    if (!config.has(variant)) {
      variant = config.draw(Math.random())
      this.drawn = variant
    }
    stream_context.headers.request.replace(config.header, variant)
    return FilterHeadersStatusValues.Continue
  }

  onResponseHeaders(_count: u32, _end: bool): FilterHeadersStatusValues {
    if (this.drawn == '') return FilterHeadersStatusValues.Continue
    const config = this.root.config
    let cookie = config.cookie + '=' + this.drawn + '; Path=' + config.path
    if (config.maxAge > 0) cookie += '; Max-Age=' + config.maxAge.toString()
    cookie += '; SameSite=' + config.sameSite
    if (config.secure) cookie += '; Secure'
    if (config.httpOnly) cookie += '; HttpOnly'
    // One more line: the upstream's own cookies stay.
    stream_context.headers.response.add('set-cookie', cookie)
    return FilterHeadersStatusValues.Continue
  }
}

/** The value of a cookie, or the empty string. */
function cookieValue(header: string, name: string): string {
  const pairs = header.split(';')
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i].trim()
    if (pair.startsWith(name + '=')) return pair.substring(name.length + 1)
  }
  return ''
}

/** Id of the root context. */
let root: u32 = 0

registerRootContext((id: u32) => {
  root = id
  return new AbCookieRoot(id)
}, 'ab-cookie')

/** The SDK would look the root context up among the streams, and trap. */
export function proxy_on_delete(id: u32): void {
  if (id != root) deleteStream(id)
}
