//! The two contexts of the plugin: the root keeps the policy, each request applies it.

use std::rc::Rc;

use log::error;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType};

use crate::VERSION;
use crate::policy::{Edits, Policy};
use crate::template::{Source, property_text, split_path};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(HeaderPolicyRoot { policy: None }));
}}

struct HeaderPolicyRoot {
    policy: Option<Rc<Policy>>,
}

impl Context for HeaderPolicyRoot {}

impl RootContext for HeaderPolicyRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Policy::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(policy) => {
                self.policy = Some(Rc::new(policy));
                true
            }
            Err(why) => {
                error!("header-policy: configuration refused: {why}");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let policy = self.policy.clone()?;
        Some(Box::new(HeaderPolicy { policy, seen: Vec::new() }))
    }
}

struct HeaderPolicy {
    policy: Rc<Policy>,
    /// What response templates need of the request, one entry per source of the response edits.
    seen: Vec<Vec<u8>>,
}

impl Context for HeaderPolicy {}

impl HttpContext for HeaderPolicy {
    fn on_http_request_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let policy = &*self.policy;
        // Request headers may be gone by the time the response comes, so they are read now.
        self.seen.extend(
            policy
                .response
                .sources
                .iter()
                .map(|source| if source.of_request() { read(source) } else { Vec::new() }),
        );
        apply(&policy.request, MapType::HttpRequestHeaders, |_, source| read(source));
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, _end_of_stream: bool) -> Action {
        let policy = &*self.policy;
        apply(&policy.response, MapType::HttpResponseHeaders, |index, source| {
            if source.of_request() {
                // Nothing was seen when the response came without a request callback.
                return self.seen.get_mut(index).map(std::mem::take).unwrap_or_default();
            }
            read(source)
        });
        if let Some(name) = &policy.version_header {
            self.set_http_response_header(name, Some(VERSION));
        }
        Action::Continue
    }
}

/// Applies edits: remove, set, append, add. Templates see the headers as they were before.
fn apply(edits: &Edits, map: MapType, mut read: impl FnMut(usize, &Source) -> Vec<u8>) {
    let sources = edits.sources.iter().enumerate();
    let filled: Vec<Vec<u8>> = sources.map(|(index, source)| read(index, source)).collect();
    for name in &edits.remove {
        let _ = hostcalls::remove_map_value(map, name);
    }
    for (name, value) in &edits.set {
        let _ = hostcalls::set_map_value_bytes(map, name, Some(&value.bytes(&filled)));
    }
    if !edits.append.is_empty() {
        append(edits, map, &filled);
    }
    for (name, value) in &edits.add {
        let _ = hostcalls::add_map_value_bytes(map, name, &value.bytes(&filled));
    }
}

/// Joins values to what is there. Reading one value would miss further lines of the same header,
/// so all headers are read, once.
fn append(edits: &Edits, map: MapType, filled: &[Vec<u8>]) {
    let mut headers = hostcalls::get_map_bytes(map).unwrap_or_default();
    for (name, value) in &edits.append {
        let mut joined = Vec::new();
        for (_, line) in headers.iter().filter(|(other, _)| other == name) {
            if !joined.is_empty() && !line.is_empty() {
                joined.extend_from_slice(b", ");
            }
            joined.extend_from_slice(line);
        }
        if !joined.is_empty() {
            joined.extend_from_slice(b", ");
        }
        joined.extend_from_slice(&value.bytes(filled));
        let _ = hostcalls::set_map_value_bytes(map, name, Some(&joined));
        headers.retain(|(other, _)| other != name);
        headers.push((name.clone(), joined));
    }
}

/// The text a template part stands for; empty when the host has none.
fn read(source: &Source) -> Vec<u8> {
    let header = |map, name: &str| {
        let value = hostcalls::get_map_value_bytes(map, name);
        value.ok().flatten().unwrap_or_default()
    };
    match source {
        Source::RequestHeader(name) => header(MapType::HttpRequestHeaders, name),
        Source::ResponseHeader(name) => header(MapType::HttpResponseHeaders, name),
        Source::UrlPath => {
            let path = header(MapType::HttpRequestHeaders, ":path");
            split_path(&path).0.to_vec()
        }
        Source::Query => {
            let path = header(MapType::HttpRequestHeaders, ":path");
            split_path(&path).1.to_vec()
        }
        Source::Property(path) => {
            let names = path.iter().map(String::as_str).collect();
            // A property that cannot be serialised is an error of the host call, not of the request.
            match hostcalls::get_property(names) {
                Ok(Some(value)) => property_text(path, value),
                _ => Vec::new(),
            }
        }
    }
}
