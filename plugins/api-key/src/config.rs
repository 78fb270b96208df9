//! The configuration, checked as a whole before the first request.

use serde::Deserialize;

/// The configuration of one plugin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(deserialize_with = "keys")]
    pub keys: Vec<Key>,
    /// Request header that carries the key.
    #[serde(default = "default_header", deserialize_with = "header_name")]
    pub header: String,
    /// Query parameter that may carry it instead.
    #[serde(default)]
    pub query: Option<String>,
    /// Request header that tells the upstream who it is; `None` when switched off by `""`.
    #[serde(default = "default_consumer_header", deserialize_with = "optional_header_name")]
    pub consumer_header: Option<String>,
    #[serde(default = "default_realm", deserialize_with = "realm")]
    pub realm: String,
    /// Whether the key is taken out of the request before it goes on.
    #[serde(default = "yes")]
    pub strip: bool,
}

/// One key. The key itself is nowhere, only its hash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    #[serde(deserialize_with = "digest")]
    pub sha256: [u8; 32],
    #[serde(deserialize_with = "consumer")]
    pub consumer: String,
    /// Path prefixes the key is good for; empty for all.
    #[serde(default, deserialize_with = "paths")]
    pub paths: Vec<String>,
}

impl Config {
    /// Parses a plugin configuration; the error names the field and what is wrong with it.
    pub fn parse(configuration: &[u8]) -> Result<Config, String> {
        let mut json = serde_json::Deserializer::from_slice(configuration);
        let config: Config =
            serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        if config.query.as_deref() == Some("") {
            return Err("query: a parameter has no empty name; leave the field out".into());
        }
        if config.consumer_header.as_ref() == Some(&config.header) {
            return Err("consumer_header: must differ from header".into());
        }
        Ok(config)
    }
}

fn default_header() -> String {
    "x-api-key".into()
}

fn default_consumer_header() -> Option<String> {
    Some("x-consumer".into())
}

fn default_realm() -> String {
    "api".into()
}

fn yes() -> bool {
    true
}

/// Reads a field and checks it; the reason becomes the error at this field.
fn checked<'de, D, T, U>(from: D, check: impl FnOnce(T) -> Result<U, String>) -> Result<U, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    check(T::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn keys<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Key>, D::Error> {
    checked(from, |keys: Vec<Key>| {
        if keys.is_empty() {
            return Err("there must be at least one key".into());
        }
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|other| other.sha256 == key.sha256) {
                return Err(format!("the key of {:?} is there twice", key.consumer));
            }
        }
        Ok(keys)
    })
}

fn digest<'de, D: serde::Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    checked(from, |text: String| {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
        let bytes = digits.filter(|digits| digits.len() == 64).map(|digits| {
            let mut bytes = [0; 32];
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
                *byte = pair[0] << 4 | pair[1];
            }
            bytes
        });
        bytes.ok_or_else(|| "must be 64 hex digits, the SHA-256 of the key".into())
    })
}

fn consumer<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text: String| {
        if text.is_empty() || text.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err("must be text that can stand in a header".into());
        }
        Ok(text)
    })
}

fn paths<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    checked(from, |paths: Vec<String>| match paths.iter().find(|path| !path.starts_with('/')) {
        Some(path) => Err(format!("{path:?} does not begin with a slash")),
        None => Ok(paths),
    })
}

fn realm<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text: String| {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
        if text.bytes().all(plain) {
            return Ok(text);
        }
        Err("must be plain ASCII without quotes and backslashes".into())
    })
}

fn header_name<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |name: String| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(format!("{name:?} is not a header name"));
        }
        Ok(name.to_ascii_lowercase())
    })
}

fn optional_header_name<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let name = serde::de::value::StringDeserializer::<D::Error>::new(text);
    header_name(name).map(Some)
}

#[cfg(test)]
mod tests {
    use super::Config;

    const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn fills_defaults_in() {
        let text = format!(r#"{{"keys":[{{"sha256":"{HASH}","consumer":"store-042"}}]}}"#);
        let config = Config::parse(text.as_bytes()).unwrap();
        assert_eq!(config.keys[0].sha256[..2], [0x2b, 0xb8]);
        assert_eq!(config.header, "x-api-key");
        assert_eq!(config.consumer_header.as_deref(), Some("x-consumer"));
        assert!(config.strip && config.query.is_none() && config.keys[0].paths.is_empty());
    }

    #[test]
    fn says_where_and_why_it_refuses() {
        let key = |fields: &str| format!(r#"{{"keys":[{{"consumer":"a",{fields}}}]}}"#);
        let good = format!(r#""sha256":"{HASH}""#);
        for (text, expected) in [
            ("".to_string(), "EOF"),
            (r#"{"keys":[]}"#.into(), "keys: there must be at least one key"),
            (key(r#""sha256":"12""#), "keys[0].sha256: must be 64 hex digits"),
            (key(&format!(r#"{good},"paths":["api"]"#)), "\"api\" does not begin with a slash"),
            (key(&format!(r#"{good},"path":["/"]"#)), "unknown field `path`"),
            (
                format!(r#"{{"keys":[{{"consumer":"a",{good}}},{{"consumer":"b",{good}}}]}}"#),
                "the key of \"b\" is there twice",
            ),
            (
                format!(r#"{{"keys":[{{"consumer":"a",{good}}}],"header":"x y"}}"#),
                "header: \"x y\" is not a header name",
            ),
            (
                format!(r#"{{"keys":[{{"consumer":"a",{good}}}],"consumer_header":"x-api-key"}}"#),
                "must differ",
            ),
            (
                format!(r#"{{"keys":[{{"consumer":"a",{good}}}],"realm":"a\"b"}}"#),
                "realm: must be plain",
            ),
        ] {
            let error = Config::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
