//! The two contexts of the plugin: the root keeps the configuration, each request asks and waits.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use log::{error, warn};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType};

use crate::config::{Config, OnFailure};
use crate::verdict::{Headers, Verdict, judge, select};

const FAILURE: &[u8] =
    br#"{"error":{"code":"authz.unavailable","message":"The request could not be authorized."}}"#;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(RemoteAuthzRoot { config: None }));
}}

struct RemoteAuthzRoot {
    config: Option<Rc<Config>>,
}

impl Context for RemoteAuthzRoot {}

impl RootContext for RemoteAuthzRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => {
                self.config = Some(Rc::new(config));
                true
            }
            Err(why) => {
                error!("remote-authz: configuration refused: {why}");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(RemoteAuthz { config: self.config.clone()?, for_response: Vec::new() }))
    }
}

struct RemoteAuthz {
    config: Rc<Config>,
    /// Headers of the answer that the client is to see.
    for_response: Headers,
}

impl HttpContext for RemoteAuthz {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let question = self.question();
        // Only the answer may set these; a client's own would be taken for it.
        for name in &self.config.copy_to_request {
            self.remove_http_request_header(name);
        }
        let config = &*self.config;
        let question = text(&question);
        let question = question.iter().map(|(name, value)| (*name, &**value)).collect();
        let timeout = Duration::from_millis(config.timeout_ms);
        let sent =
            hostcalls::dispatch_http_call(&config.upstream, question, None, Vec::new(), timeout);
        match sent {
            Ok(_) => Action::Pause,
            Err(status) => self.fail(&format!("the call was refused ({status:?})")),
        }
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        for (name, value) in std::mem::take(&mut self.for_response) {
            self.add_http_response_header_bytes(&name, &value);
        }
        Action::Continue
    }
}

impl Context for RemoteAuthz {
    fn on_http_call_response(&mut self, _token: u32, num_headers: usize, body: usize, _: usize) {
        // After a failed call there is no map to read: asking for it would be an error.
        let headers = match num_headers {
            0 => Headers::new(),
            _ => hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default(),
        };
        let config = self.config.clone();
        match judge(&config, &headers) {
            Verdict::Allow => {
                for (name, value) in select(&headers, &config.copy_to_request) {
                    self.add_http_request_header_bytes(&name, &value);
                }
                self.for_response = select(&headers, &config.copy_to_response);
                self.resume_http_request();
            }
            Verdict::Deny(status) => self.deny(status, &headers, body),
            Verdict::Failure(why) => {
                if self.fail(&why) == Action::Continue {
                    self.resume_http_request();
                }
            }
        }
    }
}

impl RemoteAuthz {
    /// The headers of the question.
    fn question(&self) -> Headers {
        let config = &*self.config;
        let mut headers: Headers = vec![
            (":method".into(), config.method.clone().into()),
            (":path".into(), config.path.clone().into()),
            (":authority".into(), config.authority.clone().into()),
        ];
        let about = [
            (":path", &config.forward_path_header),
            (":method", &config.forward_method_header),
            (":authority", &config.forward_host_header),
        ];
        for (pseudo, name) in about.into_iter().filter(|(_, name)| !name.is_empty()) {
            if let Some(value) = self.get_http_request_header_bytes(pseudo) {
                headers.push((name.clone(), value));
            }
        }
        if !config.forward_headers.is_empty() {
            headers.extend(select(&self.get_http_request_headers_bytes(), &config.forward_headers));
        }
        headers
    }

    /// Passes the denying answer on.
    fn deny(&self, status: u32, headers: &Headers, body_size: usize) {
        let headers = select(headers, &self.config.copy_on_deny);
        let headers = text(&headers);
        let headers = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let body = match body_size {
            0 => None,
            size => self.get_http_call_response_body(0, size),
        };
        self.send_http_response(status, headers, body.as_deref());
    }

    /// Does what is configured for requests without a verdict; `Continue` lets this one pass.
    fn fail(&self, why: &str) -> Action {
        let (upstream, config) = (&self.config.upstream, &self.config);
        if config.on_failure == OnFailure::Allow {
            warn!("remote-authz: {upstream}: {why}; the request passes");
            return Action::Continue;
        }
        warn!("remote-authz: {upstream}: {why}; the request is denied");
        let headers = vec![("content-type", "application/json"), ("cache-control", "no-store")];
        self.send_http_response(config.deny_status_on_failure, headers, Some(FAILURE));
        Action::Pause
    }
}

/// Headers as the SDK sends them. It takes text only: bytes that are none become U+FFFD.
fn text(headers: &Headers) -> Vec<(&str, Cow<'_, str>)> {
    headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value))).collect()
}
