//! What an answer means.

use crate::config::Config;

/// Headers as hosts give them: names in lower case, values as bytes.
pub type Headers = Vec<(String, Vec<u8>)>;

/// What becomes of the request.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Allow,
    /// Denied with this status.
    Deny(u32),
    /// No verdict could be had, for this reason.
    Failure(String),
}

/// Reads the answer's headers; none at all is how hosts tell that the call failed.
pub fn judge(config: &Config, headers: &Headers) -> Verdict {
    if headers.is_empty() {
        return Verdict::Failure("no answer".into());
    }
    let status = headers.iter().find(|(name, _)| name == ":status");
    let text = status.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    match text.as_deref().map(str::parse::<u32>) {
        None => Verdict::Failure("the answer has no status".into()),
        Some(Err(_)) => Verdict::Failure(format!("the answer's status is {text:?}")),
        Some(Ok(status)) if config.allow_status.contains(&status) => Verdict::Allow,
        // Proxies answer 503 and 504 for an upstream that they cannot reach.
        Some(Ok(status)) if status >= 500 => Verdict::Failure(format!("the answer is {status}")),
        // A status that says "well done" must not reach a client that is turned away.
        Some(Ok(status)) if status < 300 => Verdict::Deny(403),
        Some(Ok(status)) => Verdict::Deny(status),
    }
}

/// The headers among `names`, every line of them.
pub fn select(headers: &Headers, names: &[String]) -> Headers {
    headers.iter().filter(|(name, _)| names.contains(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: &str) -> Verdict {
        let config = Config::parse(br#"{"upstream":"a","allow_status":[200]}"#).unwrap();
        judge(&config, &vec![(":status".into(), status.into())])
    }

    #[test]
    fn judges() {
        assert_eq!(judged("200"), Verdict::Allow);
        assert_eq!(judged("204"), Verdict::Deny(403));
        assert_eq!(judged("302"), Verdict::Deny(302));
        assert_eq!(judged("401"), Verdict::Deny(401));
        assert!(matches!(judged("503"), Verdict::Failure(_)));
        assert!(matches!(judged("no"), Verdict::Failure(_)));
    }

    #[test]
    fn an_answer_without_status_is_a_failure() {
        let config = Config::parse(br#"{"upstream":"a"}"#).unwrap();
        assert!(matches!(judge(&config, &Vec::new()), Verdict::Failure(_)));
        let headers = vec![("x-user".to_string(), b"ann".to_vec())];
        assert!(matches!(judge(&config, &headers), Verdict::Failure(_)));
    }

    #[test]
    fn selects_every_line() {
        let line = |name: &str, value: &str| (name.to_string(), value.as_bytes().to_vec());
        let headers = vec![line("set-cookie", "a"), line("x", "b"), line("set-cookie", "c")];
        let picked = select(&headers, &["set-cookie".to_string()]);
        assert_eq!(picked, [line("set-cookie", "a"), line("set-cookie", "c")]);
    }
}
