//! The configuration: parsed and checked once, so that a request only walks ready lists.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

use crate::template::{Phase, Source, Value};

/// Edits of one direction, in the order in which they are applied.
#[derive(Debug, Default, PartialEq)]
pub struct Edits {
    pub remove: Vec<String>,
    pub set: Vec<(String, Value)>,
    pub append: Vec<(String, Value)>,
    pub add: Vec<(String, Value)>,
    /// What the templates of this direction read; empty when every value is literal.
    pub sources: Vec<Source>,
}

/// The whole policy of one plugin.
#[derive(Debug, PartialEq)]
pub struct Policy {
    pub request: Edits,
    pub response: Edits,
    /// Response header that names the running version; `None` when switched off.
    pub version_header: Option<String>,
}

impl Policy {
    /// Parses a plugin configuration; no bytes at all mean no edits.
    ///
    /// The error names the field and what is wrong with it.
    pub fn parse(configuration: &[u8]) -> Result<Policy, String> {
        let bytes = if configuration.is_empty() { b"{}" } else { configuration };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let raw: RawPolicy =
            serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        let version_header = match raw.version_header {
            Some(name) if name.is_empty() => None,
            Some(name) => Some(plain_name(&name).map_err(|why| format!("version_header: {why}"))?),
            None => Some("x-policy-version".to_string()),
        };
        Ok(Policy {
            request: raw.request.check(Phase::Request)?,
            response: raw.response.check(Phase::Response)?,
            version_header,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default)]
    request: RawEdits,
    #[serde(default)]
    response: RawEdits,
    version_header: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawEdits {
    remove: Vec<String>,
    set: Entries,
    append: Entries,
    add: Entries,
}

impl RawEdits {
    fn check(self, phase: Phase) -> Result<Edits, String> {
        let mut edits = Edits::default();
        let at = phase.name();
        for (index, name) in self.remove.iter().enumerate() {
            let name = plain_name(name).map_err(|why| format!("{at}.remove[{index}]: {why}"))?;
            edits.remove.push(name);
        }
        for (name, value) in self.set.0 {
            let wrong = |why| format!("{at}.set {name:?}: {why}");
            let key = if name.starts_with(':') {
                pseudo_name(&name, phase).map_err(wrong)?
            } else {
                plain_name(&name).map_err(wrong)?
            };
            let value = Value::parse(&value, phase, &mut edits.sources).map_err(wrong)?;
            edits.set.push((key, value));
        }
        for (name, value) in self.append.0 {
            let wrong = |why| format!("{at}.append {name:?}: {why}");
            let key = plain_name(&name).map_err(wrong)?;
            if key == "set-cookie" {
                return Err(wrong("cookies cannot be joined by commas; use add".into()));
            }
            let value = Value::parse(&value, phase, &mut edits.sources).map_err(wrong)?;
            edits.append.push((key, value));
        }
        for (name, value) in self.add.0 {
            let wrong = |why| format!("{at}.add {name:?}: {why}");
            let key = plain_name(&name).map_err(wrong)?;
            let value = Value::parse(&value, phase, &mut edits.sources).map_err(wrong)?;
            edits.add.push((key, value));
        }
        Ok(edits)
    }
}

/// Header entries in the order they were written: `[{"name", "value"}]` or `{"name": "value"}`.
#[derive(Default)]
struct Entries(Vec<(String, String)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    value: String,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of {\"name\", \"value\"} or a map of names to values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(Entry { name, value }) = list.next_element()? {
                    entries.push((name, value));
                }
                Ok(Entries(entries))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_any(EntriesVisitor)
    }
}

/// Lower-cased name of an ordinary header, or why it is none.
pub fn plain_name(name: &str) -> Result<String, String> {
    if name.starts_with(':') {
        return Err(format!("pseudo-header {name} can only be set"));
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("{name:?} is not a header name"));
    }
    Ok(name.to_ascii_lowercase())
}

fn pseudo_name(name: &str, phase: Phase) -> Result<String, String> {
    let known: &[&str] = match phase {
        Phase::Request => &[":authority", ":method", ":path", ":scheme"],
        Phase::Response => &[":status"],
    };
    if known.contains(&name) {
        return Ok(name.to_string());
    }
    Err(format!("unknown pseudo-header; this direction has {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Policy, String> {
        Policy::parse(text.as_bytes())
    }

    #[test]
    fn takes_lists_and_maps_in_written_order() {
        let list =
            parse(r#"{"request":{"set":[{"name":"X-B","value":"1"},{"name":"x-a","value":"2"}]}}"#);
        let map = parse(r#"{"request":{"set":{"x-b":"1","X-A":"2"}}}"#);
        assert_eq!(list, map);
        let names: Vec<_> = map.unwrap().request.set.into_iter().map(|e| e.0).collect();
        assert_eq!(names, ["x-b", "x-a"]);
    }

    #[test]
    fn nothing_configured_still_names_the_version() {
        let policy = parse("").unwrap();
        assert_eq!(policy.version_header.as_deref(), Some("x-policy-version"));
        assert_eq!(parse(r#"{"version_header":""}"#).unwrap().version_header, None);
    }

    #[test]
    fn says_where_and_why_it_refuses() {
        for (text, expected) in [
            (r#"{"request":{"sett":{}}}"#, "request.sett: unknown field `sett`"),
            (r#"{"response":{"set":{"x":1}}}"#, "response.set.x: invalid type"),
            (r#"{"request":{"add":[{"name":"x"}]}}"#, "request.add[0]: missing field `value`"),
            (r#"{"request":{"set":{"a b":"1"}}}"#, "\"a b\" is not a header name"),
            (r#"{"request":{"remove":[":path"]}}"#, "request.remove[0]: pseudo-header :path"),
            (r#"{"response":{"set":{":path":"/"}}}"#, "this direction has :status"),
            (r#"{"response":{"append":{"set-cookie":"a=b"}}}"#, "use add"),
            (r#"{"request":{"set":{"x":"a\r\nb"}}}"#, "control character"),
            (r#"{} x"#, "trailing characters"),
            ("not json", "expected ident"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
