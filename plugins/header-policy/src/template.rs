//! Header values. Since 1.1.0 a value may hold `${…}` parts, which are filled in for each request.

use std::borrow::Cow;

/// The direction an edit belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    Request,
    Response,
}

impl Phase {
    /// The name of this direction in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Request => "request",
            Phase::Response => "response",
        }
    }
}

/// Where a `${…}` part takes its text from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    RequestHeader(String),
    ResponseHeader(String),
    /// `:path` up to the question mark.
    UrlPath,
    /// `:path` after the question mark.
    Query,
    Property(Vec<String>),
}

impl Source {
    /// Whether it must be read while the request headers are there, even for a response edit.
    pub fn of_request(&self) -> bool {
        !matches!(self, Source::ResponseHeader(_) | Source::Property(_))
    }

    fn parse(name: &str, phase: Phase) -> Result<Source, String> {
        let header = |name: &str| crate::policy::plain_name(name);
        if let Some(header_name) = name.strip_prefix("request.header.") {
            return Ok(Source::RequestHeader(header(header_name)?));
        }
        if let Some(header_name) = name.strip_prefix("response.header.") {
            return match phase {
                Phase::Request => Err(format!("${{{name}}} is not known before the response")),
                Phase::Response => Ok(Source::ResponseHeader(header(header_name)?)),
            };
        }
        if let Some(path) = name.strip_prefix("property.") {
            let path: Vec<String> = path.split('.').map(str::to_string).collect();
            if path.iter().any(String::is_empty) {
                return Err(format!("${{{name}}} has an empty part"));
            }
            return Ok(Source::Property(path));
        }
        match name {
            "request.path" => Ok(Source::RequestHeader(":path".into())),
            "request.method" => Ok(Source::RequestHeader(":method".into())),
            "request.host" => Ok(Source::RequestHeader(":authority".into())),
            "request.scheme" => Ok(Source::RequestHeader(":scheme".into())),
            "request.url_path" => Ok(Source::UrlPath),
            "request.query" => Ok(Source::Query),
            _ => Err(format!(
                "${{{name}}} is unknown; there are request.path, request.url_path, request.query, \
                 request.method, request.host, request.scheme, request.header.NAME, \
                 response.header.NAME and property.PATH"
            )),
        }
    }
}

/// A header value: ready text, or parts to be joined for each request.
#[derive(Debug, PartialEq)]
pub enum Value {
    Literal(String),
    Template(Vec<Part>),
}

#[derive(Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// Index into the sources of the direction.
    Source(usize),
}

impl Value {
    /// Reads a configured value and enters what it needs into `sources`.
    ///
    /// `$${` stands for a literal `${`. Version 1.0.0 takes every value as it is.
    pub fn parse(text: &str, phase: Phase, sources: &mut Vec<Source>) -> Result<Value, String> {
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
            return Err("the value holds a control character".into());
        }
        if !cfg!(feature = "templates") || !text.contains("${") {
            return Ok(Value::Literal(text.to_string()));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                plain.push_str(&rest[..at - 1]);
                plain.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            plain.push_str(&rest[..at]);
            let end = rest[at..].find('}').ok_or("${ is not closed by }")? + at;
            let source = Source::parse(&rest[at + 2..end], phase)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let known = sources.iter().position(|other| *other == source);
            parts.push(Part::Source(known.unwrap_or_else(|| {
                sources.push(source);
                sources.len() - 1
            })));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if parts.is_empty() {
            return Ok(Value::Literal(plain));
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Value::Template(parts))
    }

    /// The bytes to send; `filled` holds the text of each source, in the order of the sources.
    pub fn bytes(&self, filled: &[Vec<u8>]) -> Cow<'_, [u8]> {
        match self {
            Value::Literal(text) => Cow::Borrowed(text.as_bytes()),
            Value::Template(parts) => {
                let mut bytes = Vec::new();
                for part in parts {
                    match part {
                        Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                        Part::Source(index) => bytes.extend_from_slice(&filled[*index]),
                    }
                }
                Cow::Owned(bytes)
            }
        }
    }
}

/// Splits a `:path` into its path and its query.
pub fn split_path(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().position(|byte| *byte == b'?') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, b""),
    }
}

/// The text of a property. Hosts give strings as they are, numbers as eight bytes, booleans as one.
///
/// Bytes that may not stand in a header become spaces.
pub fn property_text(path: &[String], value: Vec<u8>) -> Vec<u8> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), value.as_slice()) {
        (["connection", "mtls"], [flag]) => {
            return if *flag == 0 { "false" } else { "true" }.into();
        }
        (
            ["source" | "destination" | "upstream", "port"]
            | ["request" | "response", "size" | "total_size"]
            | ["response", "code" | "flags" | "grpc_status"]
            | ["connection", "id"]
            | ["connection_id"]
            | ["upstream", "request_attempt_count"],
            number,
        ) => {
            if let Ok(bytes) = <[u8; 8]>::try_from(number) {
                return i64::from_le_bytes(bytes).to_string().into_bytes();
            }
        }
        _ => {}
    }
    let mut text = value;
    for byte in &mut text {
        if *byte < 0x20 && *byte != b'\t' || *byte == 0x7f {
            *byte = b' ';
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str, filled: &[&str]) -> Result<String, String> {
        let mut sources = Vec::new();
        let value = Value::parse(text, Phase::Response, &mut sources)?;
        let filled: Vec<Vec<u8>> = filled.iter().map(|text| text.as_bytes().into()).collect();
        assert!(!cfg!(feature = "templates") || sources.len() == filled.len());
        Ok(String::from_utf8(value.bytes(&filled).into_owned()).unwrap())
    }

    #[test]
    #[cfg(feature = "templates")]
    fn fills_parts_in() {
        assert_eq!(fill("plain", &[]).unwrap(), "plain");
        assert_eq!(fill("a${request.path}b", &["/x"]).unwrap(), "a/xb");
        let twice = "${request.header.A}-${request.header.a}-${property.node.id}";
        assert_eq!(fill(twice, &["1", "2"]).unwrap(), "1-1-2");
        assert_eq!(fill("$${request.path}", &[]).unwrap(), "${request.path}");
        assert_eq!(fill("5$ ${request.host}", &["h"]).unwrap(), "5$ h");
    }

    #[test]
    #[cfg(feature = "templates")]
    fn refuses_what_it_does_not_know() {
        for (text, expected) in [
            ("${request.pth}", "is unknown"),
            ("${request.path", "not closed"),
            ("${property.a..b}", "empty part"),
            ("${request.header.a b}", "not a header name"),
        ] {
            let error = fill(text, &[]).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let early = Value::parse("${response.header.x}", Phase::Request, &mut Vec::new());
        assert!(early.unwrap_err().contains("not known before the response"));
    }

    #[test]
    #[cfg(not(feature = "templates"))]
    fn version_1_0_0_takes_values_literally() {
        assert_eq!(fill("${request.path", &[]).unwrap(), "${request.path");
    }

    #[test]
    fn splits_paths() {
        assert_eq!(split_path(b"/a?b=1?2"), (&b"/a"[..], &b"b=1?2"[..]));
        assert_eq!(split_path(b"/a"), (&b"/a"[..], &b""[..]));
    }

    #[test]
    fn shows_properties_as_text() {
        let path = |text: &str| -> Vec<String> { text.split('.').map(str::to_string).collect() };
        let port = property_text(&path("source.port"), 443i64.to_le_bytes().to_vec());
        assert_eq!(port, b"443");
        assert_eq!(property_text(&path("connection.mtls"), vec![1]), b"true");
        assert_eq!(property_text(&path("xds.node"), b"a\r\nb".to_vec()), b"a  b");
    }
}
