//! The decision.

use std::hint::black_box;

use sha2::{Digest, Sha256};

use crate::config::{Config, Key};
use crate::path::{is_ambiguous, lies_under};

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    Missing,
    Unknown,
    WrongPath,
}

impl Refusal {
    /// Status of the reply: who shows no key may try again with one, the others may not.
    pub fn status(self) -> u32 {
        match self {
            Refusal::Missing => 401,
            Refusal::Unknown | Refusal::WrongPath => 403,
        }
    }

    /// Body of the reply.
    pub fn body(self) -> &'static str {
        match self {
            Refusal::Missing => {
                r#"{"error":{"code":"api_key.missing","message":"An API key is required."}}"#
            }
            Refusal::Unknown => {
                r#"{"error":{"code":"api_key.unknown","message":"The API key is not valid."}}"#
            }
            Refusal::WrongPath => {
                r#"{"error":{"code":"api_key.forbidden","message":"The API key is not valid for this path."}}"#
            }
        }
    }
}

/// Finds whose key this is and whether it is good for the path.
pub fn verify<'a>(config: &'a Config, key: Option<&[u8]>, path: &[u8]) -> Result<&'a Key, Refusal> {
    let key = key.filter(|key| !key.is_empty()).ok_or(Refusal::Missing)?;
    let found = find(&config.keys, &Sha256::digest(key).into()).ok_or(Refusal::Unknown)?;
    if found.paths.is_empty() {
        return Ok(found);
    }
    if is_ambiguous(path) || !found.paths.iter().any(|prefix| lies_under(path, prefix)) {
        return Err(Refusal::WrongPath);
    }
    Ok(found)
}

/// Compares with every key to its end, so that the time tells neither which key nor how much of it.
fn find<'a>(keys: &'a [Key], digest: &[u8; 32]) -> Option<&'a Key> {
    let mut found = usize::MAX;
    for (index, key) in keys.iter().enumerate() {
        let mut difference = 0u8;
        for (left, right) in key.sha256.iter().zip(digest) {
            difference |= black_box(left ^ right);
        }
        // All ones when nothing differs, else zero: chosen by arithmetic, not by a branch.
        let same = usize::from(black_box(difference) == 0).wrapping_neg();
        found = found & !same | index & same;
    }
    keys.get(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let hash = |key: &str| {
            Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let text = format!(
            r#"{{"keys":[{{"sha256":"{}","consumer":"one"}},
                {{"sha256":"{}","consumer":"two","paths":["/api/","/health"]}}]}}"#,
            hash("first"),
            hash("second"),
        );
        Config::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn decides() {
        let config = config();
        let who = |key: Option<&str>, path: &str| {
            verify(&config, key.map(str::as_bytes), path.as_bytes())
                .map(|key| key.consumer.as_str())
        };
        assert_eq!(who(Some("first"), "/any/../where"), Ok("one"));
        assert_eq!(who(Some("second"), "/api/x"), Ok("two"));
        assert_eq!(who(Some("second"), "/health"), Ok("two"));
        assert_eq!(who(Some("second"), "/admin"), Err(Refusal::WrongPath));
        assert_eq!(who(Some("second"), "/api/../admin"), Err(Refusal::WrongPath));
        assert_eq!(who(Some("third"), "/api/x"), Err(Refusal::Unknown));
        assert_eq!(who(Some(""), "/api/x"), Err(Refusal::Missing));
        assert_eq!(who(None, "/api/x"), Err(Refusal::Missing));
    }

    #[test]
    fn bodies_are_json() {
        for refusal in [Refusal::Missing, Refusal::Unknown, Refusal::WrongPath] {
            let body: serde_json::Value = serde_json::from_str(refusal.body()).unwrap();
            assert!(body["error"]["code"].as_str().unwrap().starts_with("api_key."));
        }
    }
}
