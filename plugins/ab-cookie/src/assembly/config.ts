// oxlint-disable-next-line typescript/consistent-type-imports -- AssemblyScript has no such imports
import { Json, Kind, Parser } from './json'

export class Variant {
  constructor(
    public name: string,
    public weight: i32,
  ) {}
}

/** The configuration of one plugin; `error` says what is wrong with it, if anything is. */
export class Config {
  error: string = ''
  experiment: string = ''
  cookie: string = ''
  header: string = ''
  path: string = ''
  sameSite: string = ''
  secure: bool = true
  httpOnly: bool = true
  /** Seconds; 0 for a cookie that ends with the browser session. */
  maxAge: i32 = 0
  variants: Variant[] = []
  /** Sum of all weights. */
  total: i32 = 0

  /** Reads a plugin configuration. */
  static parse(text: string): Config {
    const config = new Config()
    const parser = new Parser(text)
    const json = parser.parse()
    if (!json) config.fail('it is not JSON: ' + parser.error)
    else if (json.kind != Kind.Map) config.fail('it must be an object')
    else config.read(json)
    return config
  }

  /** Whether a cookie's value names a variant. */
  has(name: string): bool {
    for (let i = 0; i < this.variants.length; i++) {
      if (this.variants[i].name == name) return true
    }
    return false
  }

  /** The variant at a point between 0 and 1. */
  draw(point: f64): string {
    let left = <i32>(point * <f64>this.total)
    for (let i = 0; i < this.variants.length; i++) {
      left -= this.variants[i].weight
      if (left < 0) return this.variants[i].name
    }
    return this.variants[this.variants.length - 1].name
  }

  private read(json: Json): void {
    this.known(
      json,
      'experiment cookie header path same_site secure http_only max_age variants',
      '',
    )
    this.experiment = this.text(json, 'experiment', '')
    if (!isToken(this.experiment)) return this.fail('experiment: a name is required')
    this.cookie = this.text(json, 'cookie', 'ab_' + this.experiment)
    if (!isToken(this.cookie)) this.fail('cookie: "' + this.cookie + '" is not a cookie name')
    this.header = this.text(json, 'header', 'x-variant').toLowerCase()
    if (!isToken(this.header)) this.fail('header: "' + this.header + '" is not a header name')
    this.path = this.text(json, 'path', '/')
    if (!this.path.startsWith('/') || !isAttribute(this.path)) {
      this.fail('path: must begin with a slash and hold no semicolon')
    }
    this.sameSite = this.text(json, 'same_site', 'Lax')
    if (!['Lax', 'Strict', 'None'].includes(this.sameSite)) {
      this.fail('same_site: must be Lax, Strict or None')
    }
    this.secure = this.flag(json, 'secure')
    this.httpOnly = this.flag(json, 'http_only')
    this.maxAge = this.integer(json, 'max_age', 'max_age', 2592000, i32.MAX_VALUE)
    const variants = json.get('variants')
    if (!variants || variants.kind != Kind.List || variants.list.length == 0) {
      return this.fail('variants: a list of at least one is required')
    }
    for (let i = 0; i < variants.list.length; i++) this.readVariant(variants.list[i], i)
    if (this.total == 0) this.fail('variants: at least one must have a weight')
  }

  private readVariant(json: Json, index: i32): void {
    const at = 'variants[' + index.toString() + ']'
    if (json.kind != Kind.Map) return this.fail(at + ': must be an object')
    this.known(json, 'name weight', at + '.')
    const name = this.text(json, 'name', '')
    if (!isToken(name)) return this.fail(at + '.name: a name without spaces and signs is required')
    if (this.has(name)) return this.fail(at + '.name: "' + name + '" is there twice')
    const weight = this.integer(json, 'weight', at + '.weight', -1, 1000000)
    this.variants.push(new Variant(name, weight))
    this.total += weight
  }

  /** Refuses fields that nobody reads: a slip of the pen would go unnoticed. */
  private known(json: Json, names: string, at: string): void {
    const list = names.split(' ')
    for (let i = 0; i < json.keys.length; i++) {
      if (!list.includes(json.keys[i])) {
        this.fail(at + json.keys[i] + ': unknown field; there are ' + list.join(', '))
      }
    }
  }

  private text(json: Json, name: string, otherwise: string): string {
    const value = json.get(name)
    if (!value) return otherwise
    if (value.kind != Kind.String) this.fail(name + ': must be a string')
    return value.string
  }

  private flag(json: Json, name: string): bool {
    const value = json.get(name)
    if (!value) return true
    if (value.kind != Kind.Bool) this.fail(name + ': must be true or false')
    return value.bool
  }

  /** A whole number from 0 to `most`; a negative `otherwise` makes the field required. */
  private integer(json: Json, name: string, at: string, otherwise: i32, most: i32): i32 {
    const value = json.get(name)
    if (!value && otherwise >= 0) return otherwise
    const number = value && value.kind == Kind.Number ? value.number : -1
    if (number < 0 || number > <f64>most || number != Math.floor(number)) {
      this.fail(at + ': a whole number from 0 to ' + most.toString() + ' is required')
      return 0
    }
    return <i32>number
  }

  /** The first thing that is wrong is the one to tell. */
  private fail(why: string): void {
    if (this.error == '') this.error = why
  }
}

/** Whether a text may be a name of a cookie, a header or a variant. */
function isToken(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    const alphanumeric =
      (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a)
    if (!alphanumeric && !'-_.~'.includes(text.charAt(i))) return false
  }
  return text.length > 0
}

function isAttribute(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || c > 0x7e || c == 0x3b) return false
  }
  return true
}
