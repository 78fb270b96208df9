//! The configuration, and which bodies it concerns.

use serde::Deserialize;

use crate::mask::Style;
use crate::scan::Syntax;

/// Which bodies are looked at.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Request,
    Response,
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default = "response")]
    direction: Direction,
    #[serde(default = "content_types")]
    content_types: Vec<String>,
    #[serde(default = "keep_last")]
    keep_last: usize,
    #[serde(default = "mask")]
    mask: String,
    #[serde(default = "yes")]
    known_prefixes: bool,
    #[serde(default = "yes")]
    ask_for_identity: bool,
}

/// The configuration of one plugin.
#[derive(Debug, PartialEq)]
pub struct Config {
    direction: Direction,
    content_types: Vec<String>,
    pub style: Style,
    /// Whether `accept-encoding` is removed, so that responses come readable.
    pub ask_for_identity: bool,
}

impl Config {
    /// Parses a plugin configuration; no bytes at all mean the defaults.
    ///
    /// The error names the field and what is wrong with it.
    pub fn parse(configuration: &[u8]) -> Result<Config, String> {
        let bytes = if configuration.is_empty() { b"{}" } else { configuration };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let raw: Raw =
            serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        let mut characters = raw.mask.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None)
                if !one.is_control() && !one.is_numeric() && !"\"\\&<".contains(one) => {}
            _ => return Err("mask: must be one character and no digit, quote, \\, & or <".into()),
        }
        if raw.keep_last > 6 {
            return Err("keep_last: at most 6 digits may stay".into());
        }
        if raw.content_types.is_empty() {
            return Err("content_types: there must be at least one".into());
        }
        for (index, pattern) in raw.content_types.iter().enumerate() {
            let (kind, rest) = pattern.split_once('/').unwrap_or_default();
            let stars = rest.strip_prefix("*+").unwrap_or(rest).matches('*').count();
            if kind.is_empty() || rest.is_empty() || stars > 0 && rest != "*" {
                return Err(format!(
                    "content_types[{index}]: {pattern:?} is neither type/name, type/* nor type/*+suffix"
                ));
            }
        }
        Ok(Config {
            direction: raw.direction,
            content_types: raw.content_types.iter().map(|text| text.to_lowercase()).collect(),
            style: Style {
                mask: raw.mask,
                keep_last: raw.keep_last,
                known_prefixes: raw.known_prefixes,
            },
            ask_for_identity: raw.ask_for_identity,
        })
    }

    pub fn masks_requests(&self) -> bool {
        self.direction != Direction::Response
    }

    pub fn masks_responses(&self) -> bool {
        self.direction != Direction::Request
    }

    /// How a body with this content type is written; `None` when it is not to be looked at.
    pub fn syntax(&self, content_type: &str) -> Option<Syntax> {
        let lower = content_type.to_lowercase();
        let mut parts = lower.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        // In these two character sets a digit is more than one byte.
        let wide = |part: &str| {
            part.starts_with("charset=") && part.contains("utf-16")
                || part.starts_with("charset=") && part.contains("utf-32")
        };
        if !self.content_types.iter().any(|pattern| matches(pattern, name)) || parts.any(wide) {
            return None;
        }
        Some(match name {
            "application/x-www-form-urlencoded" => Syntax::Form,
            name if name.ends_with("/json") || name.ends_with("+json") => Syntax::Json,
            _ => Syntax::Text,
        })
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let (Some((kind, rest)), Some((name_kind, name_rest))) =
        (pattern.split_once('/'), name.split_once('/'))
    else {
        return false;
    };
    let same_rest = match rest.strip_prefix('*') {
        Some(suffix) => name_rest.ends_with(suffix),
        None => rest == name_rest,
    };
    same_rest && (kind == "*" || kind == name_kind)
}

fn response() -> Direction {
    Direction::Response
}

fn content_types() -> Vec<String> {
    [
        "text/*",
        "application/json",
        "application/*+json",
        "application/xml",
        "application/*+xml",
        "application/x-www-form-urlencoded",
    ]
    .map(str::to_string)
    .to_vec()
}

fn keep_last() -> usize {
    4
}

fn mask() -> String {
    "*".into()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_bodies() {
        let config = Config::parse(b"").unwrap();
        assert_eq!(config.syntax("text/html; charset=utf-8"), Some(Syntax::Text));
        assert_eq!(config.syntax("Application/JSON"), Some(Syntax::Json));
        assert_eq!(config.syntax("application/problem+json"), Some(Syntax::Json));
        assert_eq!(config.syntax("application/x-www-form-urlencoded"), Some(Syntax::Form));
        assert_eq!(config.syntax("image/png"), None);
        assert_eq!(config.syntax("image/svg+xml"), None);
        assert_eq!(config.syntax("text/plain; charset=UTF-16LE"), None);
        assert_eq!(config.syntax(""), None);
    }

    #[test]
    fn says_where_and_why_it_refuses() {
        for (text, expected) in [
            (r#"{"direction":"up"}"#, "direction: unknown variant `up`"),
            (r#"{"mask":"**"}"#, "mask: must be one character"),
            (r#"{"mask":"\""}"#, "mask: must be one character"),
            (r#"{"keep_last":8}"#, "keep_last: at most 6"),
            (r#"{"keep_last":-1}"#, "keep_last: invalid value"),
            (r#"{"content_types":["json"]}"#, "content_types[0]: \"json\""),
            (r#"{"content_types":["text/*x*"]}"#, "content_types[0]"),
            (r#"{"masks":1}"#, "unknown field `masks`"),
        ] {
            let error = Config::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
