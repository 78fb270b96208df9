// A reader for the JSON of a configuration: values are asked for by name, and everything that is
// wrong ends in one `error` that says where. AssemblyScript has no exceptions to catch.

export enum Kind {
  Null,
  Bool,
  Number,
  String,
  List,
  Map,
}

/** One JSON value. */
export class Json {
  bool: bool = false
  number: f64 = 0
  string: string = ''
  list: Json[] = []
  keys: string[] = []

  constructor(public kind: Kind) {}

  /** The member of a map, or null. */
  get(key: string): Json | null {
    const at = this.keys.indexOf(key)
    return at < 0 ? null : this.list[at]
  }
}

/** Reads one JSON text. */
export class Parser {
  /** Empty as long as nothing is wrong. */
  error: string = ''
  private at: i32 = 0

  constructor(private text: string) {}

  /** The value of the whole text; null when there is an error. */
  parse(): Json | null {
    const value = this.value(0)
    this.space()
    if (this.at < this.text.length) this.fail('the end was expected')
    return this.error == '' ? value : null
  }

  private value(depth: i32): Json {
    this.space()
    const c = this.peek()
    if (depth > 16) return this.fail('too many levels')
    if (c == 0x7b) return this.map(depth)
    if (c == 0x5b) return this.list(depth)
    if (c == 0x22) {
      const value = new Json(Kind.String)
      value.string = this.string()
      return value
    }
    if (c == 0x2d || (c >= 0x30 && c <= 0x39)) return this.number()
    if (this.word('null')) return new Json(Kind.Null)
    const value = new Json(Kind.Bool)
    if (this.word('true')) {
      value.bool = true
      return value
    }
    return this.word('false') ? value : this.fail('a value was expected')
  }

  private map(depth: i32): Json {
    const value = new Json(Kind.Map)
    this.at++
    if (this.take(0x7d)) return value
    do {
      this.space()
      if (this.peek() != 0x22) return this.fail('a name in quotes was expected')
      const key = this.string()
      if (value.keys.includes(key)) return this.fail('"' + key + '" is there twice')
      if (!this.take(0x3a)) return this.fail('a colon was expected')
      value.keys.push(key)
      value.list.push(this.value(depth + 1))
    } while (this.error == '' && this.take(0x2c))
    return this.take(0x7d) ? value : this.fail('a comma or } was expected')
  }

  private list(depth: i32): Json {
    const value = new Json(Kind.List)
    this.at++
    if (this.take(0x5d)) return value
    do {
      value.list.push(this.value(depth + 1))
    } while (this.error == '' && this.take(0x2c))
    return this.take(0x5d) ? value : this.fail('a comma or ] was expected')
  }

  private string(): string {
    const escapes = '"\\/bfnrt'
    const meanings = '"\\/\b\f\n\r\t'
    let out = ''
    this.at++
    while (this.error == '') {
      const c = this.peek()
      if (c < 0x20) this.fail('a string does not end')
      this.at++
      if (c == 0x22) break
      if (c != 0x5c) {
        out += String.fromCharCode(c)
        continue
      }
      const escape = this.text.charAt(this.at++)
      const known = escape == '' ? -1 : escapes.indexOf(escape)
      if (known >= 0) out += meanings.charAt(known)
      else if (escape == 'u') out += String.fromCharCode(this.hex())
      else this.fail('an unknown escape')
    }
    return out
  }

  /** Four hex digits. */
  private hex(): i32 {
    let code = 0
    for (let i = 0; i < 4; i++) {
      const digit = '0123456789abcdef'.indexOf(this.text.charAt(this.at++).toLowerCase())
      if (digit < 0 || this.at > this.text.length) this.fail('\\u needs four hex digits')
      code = (code << 4) | digit
    }
    return code
  }

  private number(): Json {
    const start = this.at
    if (this.peek() == 0x2d) this.at++
    let good = this.digits()
    if (this.peek() == 0x2e) {
      this.at++
      good = this.digits() && good
    }
    if (this.peek() == 0x65 || this.peek() == 0x45) {
      this.at++
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++
      good = this.digits() && good
    }
    const value = new Json(Kind.Number)
    value.number = parseFloat(this.text.substring(start, this.at))
    return good ? value : this.fail('a number was expected')
  }

  private digits(): bool {
    const start = this.at
    while (this.peek() >= 0x30 && this.peek() <= 0x39) this.at++
    return this.at > start
  }

  private word(word: string): bool {
    if (this.text.substr(this.at, word.length) != word) return false
    this.at += word.length
    return true
  }

  /** Takes a character after any space. */
  private take(c: i32): bool {
    this.space()
    if (this.peek() != c) return false
    this.at++
    return true
  }

  private space(): void {
    for (let c = this.peek(); c == 0x20 || (c >= 0x09 && c <= 0x0d); c = this.peek()) this.at++
  }

  /** The next character, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1
  }

  private fail(why: string): Json {
    if (this.error == '') this.error = why + ' at character ' + this.at.toString()
    return new Json(Kind.Null)
  }
}
