//! The configuration, checked as a whole before the first request.

use serde::Deserialize;

/// What happens to a request about which no verdict could be had.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    Deny,
    Allow,
}

/// The configuration of one plugin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub upstream: String,
    #[serde(default = "slash")]
    pub path: String,
    /// The `:authority` of the question; the upstream's name when left out.
    #[serde(default)]
    pub authority: String,
    #[serde(default = "get")]
    pub method: String,
    #[serde(default = "half_a_second")]
    pub timeout_ms: u64,
    /// Request headers that go along with the question.
    #[serde(default = "forward_headers")]
    pub forward_headers: Vec<String>,
    /// Headers of the question for what is asked about; `""` leaves one out.
    #[serde(default = "path_header")]
    pub forward_path_header: String,
    #[serde(default = "method_header")]
    pub forward_method_header: String,
    #[serde(default = "host_header")]
    pub forward_host_header: String,
    #[serde(default = "allow_status")]
    pub allow_status: Vec<u32>,
    /// Headers of an allowing answer that the upstream is to see.
    #[serde(default)]
    pub copy_to_request: Vec<String>,
    /// Headers of an allowing answer that the client is to see.
    #[serde(default)]
    pub copy_to_response: Vec<String>,
    /// Headers of a denying answer that the client is to see.
    #[serde(default = "copy_on_deny")]
    pub copy_on_deny: Vec<String>,
    #[serde(default = "deny")]
    pub on_failure: OnFailure,
    #[serde(default = "unavailable")]
    pub deny_status_on_failure: u32,
}

impl Config {
    /// Parses a plugin configuration; the error names the field and what is wrong with it.
    pub fn parse(configuration: &[u8]) -> Result<Config, String> {
        let mut json = serde_json::Deserializer::from_slice(configuration);
        let mut config: Config =
            serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
        json.end().map_err(|error| error.to_string())?;
        if config.authority.is_empty() {
            config.authority.clone_from(&config.upstream);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&mut self) -> Result<(), String> {
        if self.upstream.is_empty() {
            return Err("upstream: must name an upstream".into());
        }
        if !self.path.starts_with('/') {
            return Err("path: must begin with a slash".into());
        }
        if !is_token(&self.method) {
            return Err("method: is no HTTP method".into());
        }
        if !(1..=60_000).contains(&self.timeout_ms) {
            return Err("timeout_ms: must be from 1 to 60000".into());
        }
        if self.allow_status.is_empty() {
            return Err("allow_status: without a status nothing could ever pass".into());
        }
        if let Some(status) = self.allow_status.iter().find(|status| !(100..500).contains(*status))
        {
            return Err(format!("allow_status: {status} can allow nothing; 5xx are failures"));
        }
        if !(400..600).contains(&self.deny_status_on_failure) {
            return Err("deny_status_on_failure: must be from 400 to 599".into());
        }
        let lists: [(&str, &mut Vec<String>); 4] = [
            ("forward_headers", &mut self.forward_headers),
            ("copy_to_request", &mut self.copy_to_request),
            ("copy_to_response", &mut self.copy_to_response),
            ("copy_on_deny", &mut self.copy_on_deny),
        ];
        for (field, names) in lists {
            for (index, name) in names.iter_mut().enumerate() {
                if !is_token(name) {
                    return Err(format!("{field}[{index}]: {name:?} is not a header name"));
                }
                name.make_ascii_lowercase();
            }
        }
        let names = [
            ("forward_path_header", &mut self.forward_path_header),
            ("forward_method_header", &mut self.forward_method_header),
            ("forward_host_header", &mut self.forward_host_header),
        ];
        for (field, name) in names {
            if !name.is_empty() && !is_token(name) {
                return Err(format!("{field}: {name:?} is not a header name"));
            }
            name.make_ascii_lowercase();
        }
        Ok(())
    }
}

fn is_token(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

fn slash() -> String {
    "/".into()
}

fn get() -> String {
    "GET".into()
}

fn half_a_second() -> u64 {
    500
}

fn forward_headers() -> Vec<String> {
    vec!["authorization".into(), "cookie".into()]
}

fn path_header() -> String {
    "x-original-path".into()
}

fn method_header() -> String {
    "x-original-method".into()
}

fn host_header() -> String {
    "x-original-host".into()
}

fn allow_status() -> Vec<u32> {
    vec![200, 204]
}

fn copy_on_deny() -> Vec<String> {
    ["content-type", "www-authenticate", "location", "set-cookie"].map(str::to_string).to_vec()
}

fn deny() -> OnFailure {
    OnFailure::Deny
}

fn unavailable() -> u32 {
    503
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_defaults_in() {
        let config = Config::parse(br#"{"upstream":"authz"}"#).unwrap();
        assert_eq!((config.authority.as_str(), config.path.as_str()), ("authz", "/"));
        assert_eq!(config.allow_status, [200, 204]);
        assert_eq!(config.on_failure, OnFailure::Deny);
    }

    #[test]
    fn says_where_and_why_it_refuses() {
        for (fields, expected) in [
            (r#""path":"check""#, "path: must begin with a slash"),
            (r#""timeout_ms":0"#, "timeout_ms: must be from 1"),
            (r#""timeout_ms":"5s""#, "timeout_ms: invalid type"),
            (r#""allow_status":[]"#, "allow_status: without a status"),
            (r#""allow_status":[503]"#, "503 can allow nothing"),
            (r#""on_failure":"open""#, "on_failure: unknown variant `open`"),
            (r#""deny_status_on_failure":200"#, "must be from 400"),
            (r#""copy_to_request":["a b"]"#, "copy_to_request[0]: \"a b\""),
            (r#""forward_path_header":":path""#, "forward_path_header: \":path\""),
            (r#""upstrem":"""#, "unknown field `upstrem`"),
        ] {
            let text = format!(r#"{{"upstream":"authz",{fields}}}"#);
            let error = Config::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(Config::parse(b"{}").unwrap_err().contains("missing field `upstream`"));
        assert!(Config::parse(br#"{"upstream":""}"#).unwrap_err().contains("must name"));
    }
}
