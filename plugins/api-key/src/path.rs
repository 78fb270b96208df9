//! Paths: what a key is allowed on, and keys that travel in the query.

/// Whether a path lies under a prefix, which ends at a segment: `/api` covers `/api` and `/api/x`,
/// not `/apix`.
pub fn lies_under(path: &[u8], prefix: &str) -> bool {
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix(prefix.as_bytes()) else {
        return false;
    };
    prefix.ends_with('/') || rest.is_empty() || rest[0] == b'/'
}

/// Whether an upstream might read the path as another one than it seems: dot segments, backslashes,
/// encoded slashes. A key that is bound to paths is not good for these.
pub fn is_ambiguous(path: &[u8]) -> bool {
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let decoded = decode(path);
    let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
    // Once more, for upstreams that decode twice.
    let twice = decode(&decoded);
    twice.contains(&b'\\')
        || slashes(&twice) != slashes(path)
        || twice.split(|byte| *byte == b'/').any(is_dot_segment)
}

/// Path parameters do not count: some servers read `/..;x/` as `/../`.
fn is_dot_segment(part: &[u8]) -> bool {
    matches!(part.split(|byte| *byte == b';').next(), Some(b"." | b".."))
}

/// The first value of a query parameter, decoded.
pub fn query_value(path: &[u8], name: &str) -> Option<Vec<u8>> {
    let at = path.iter().position(|byte| *byte == b'?')?;
    let mut pairs = path[at + 1..].split(|byte| *byte == b'&').map(split_pair);
    let (_, value) = pairs.find(|(key, _)| form_decode(key) == name.as_bytes())?;
    Some(form_decode(value))
}

/// The path without a query parameter; the rest stays as it was written.
pub fn without_query_value(path: &[u8], name: &str) -> Vec<u8> {
    let Some(at) = path.iter().position(|byte| *byte == b'?') else {
        return path.to_vec();
    };
    let kept: Vec<&[u8]> = path[at + 1..]
        .split(|byte| *byte == b'&')
        .filter(|pair| form_decode(split_pair(pair).0) != name.as_bytes())
        .collect();
    let mut out = path[..at].to_vec();
    if !kept.is_empty() {
        out.push(b'?');
        out.extend(kept.join(&b'&'));
    }
    out
}

fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

fn form_decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    decode(&spaced)
}

/// Decodes `%XX`; what is no escape stays.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_segments() {
        assert!(lies_under(b"/api", "/api"));
        assert!(lies_under(b"/api/x?y=/z", "/api"));
        assert!(lies_under(b"/api?x", "/api"));
        assert!(lies_under(b"/api/x", "/api/"));
        assert!(lies_under(b"/anything", "/"));
        assert!(!lies_under(b"/apix", "/api"));
        assert!(!lies_under(b"/api", "/api/"));
        assert!(!lies_under(b"/?/api", "/api"));
    }

    #[test]
    fn sees_through_disguises() {
        for path in
            ["/a/../b", "/a/%2e%2E/b", "/a/%252e%252e/b", "/a/./b", "/a%2fb", "/a\\b", "/a/..;x/b"]
        {
            assert!(is_ambiguous(path.as_bytes()), "{path}");
        }
        for path in ["/a/b", "/a/..b/c.", "/a?x=../..", "/caf%C3%A9", "/100%"] {
            assert!(!is_ambiguous(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn takes_keys_out_of_the_query() {
        let path = b"/a?x=1&api%5Fkey=s+3%21&y";
        assert_eq!(query_value(path, "api_key").unwrap(), b"s 3!");
        assert_eq!(without_query_value(path, "api_key"), b"/a?x=1&y");
        assert_eq!(without_query_value(b"/a?api_key=1", "api_key"), b"/a");
        assert_eq!(query_value(b"/a?b=1", "api_key"), None);
        assert_eq!(query_value(b"/a", "api_key"), None);
    }
}
