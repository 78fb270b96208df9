//! The two contexts of the plugin: the root keeps the keys, each request is checked against them.

use std::rc::Rc;

use log::error;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use crate::config::Config;
use crate::path::{query_value, without_query_value};
use crate::verify::{Refusal, verify};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(ApiKeyRoot { config: None }));
}}

struct ApiKeyRoot {
    config: Option<Rc<Config>>,
}

impl Context for ApiKeyRoot {}

impl RootContext for ApiKeyRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => {
                self.config = Some(Rc::new(config));
                true
            }
            Err(why) => {
                error!("api-key: configuration refused: {why}");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(ApiKey { config: self.config.clone()? }))
    }
}

struct ApiKey {
    config: Rc<Config>,
}

impl Context for ApiKey {}

impl HttpContext for ApiKey {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let config = &*self.config;
        // First of all: no client may say who it is.
        if let Some(name) = &config.consumer_header {
            self.remove_http_request_header(name);
        }
        let path = self.get_http_request_header_bytes(":path").unwrap_or_default();
        let key = self.get_http_request_header_bytes(&config.header).filter(|key| !key.is_empty());
        let in_query = config.query.as_deref().and_then(|name| query_value(&path, name));
        match verify(config, key.as_deref().or(in_query.as_deref()), &path) {
            Ok(found) => {
                if let Some(name) = &config.consumer_header {
                    self.set_http_request_header(name, Some(&found.consumer));
                }
                if config.strip {
                    self.strip(key.is_some(), in_query.is_some(), &path);
                }
                Action::Continue
            }
            Err(refusal) => {
                self.refuse(refusal);
                Action::Pause
            }
        }
    }
}

impl ApiKey {
    /// Takes the key out of the request, wherever it was.
    fn strip(&self, from_header: bool, from_query: bool, path: &[u8]) {
        if from_header {
            self.remove_http_request_header(&self.config.header);
        }
        if let (true, Some(name)) = (from_query, &self.config.query) {
            let path = without_query_value(path, name);
            self.set_http_request_header_bytes(":path", Some(&path));
        }
    }

    fn refuse(&self, refusal: Refusal) {
        let challenge = format!("ApiKey realm=\"{}\"", self.config.realm);
        let mut headers = vec![("content-type", "application/json"), ("cache-control", "no-store")];
        if refusal == Refusal::Missing {
            headers.push(("www-authenticate", &challenge));
        }
        self.send_http_response(refusal.status(), headers, Some(refusal.body().as_bytes()));
    }
}
