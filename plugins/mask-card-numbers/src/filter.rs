//! The two contexts of the plugin: the root keeps the configuration, each request masks its bodies.

use std::rc::Rc;

use log::{error, warn};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, LogLevel, MapType, MetricType};

use crate::config::Config;
use crate::mask::Masker;

/// Headers that speak of the bytes of a body and would be wrong once one of them is changed.
const DIGESTS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(MaskRoot { config: None, metric: 0 }));
}}

struct MaskRoot {
    config: Option<Rc<Config>>,
    /// Counts the numbers that were masked.
    metric: u32,
}

impl Context for MaskRoot {}

impl RootContext for MaskRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => self.config = Some(Rc::new(config)),
            Err(why) => {
                error!("mask-card-numbers: configuration refused: {why}");
                return false;
            }
        }
        let metric = hostcalls::define_metric(MetricType::Counter, "mask_card_numbers.masked");
        self.metric = metric.unwrap_or(0);
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let (config, metric) = (self.config.clone()?, self.metric);
        Some(Box::new(Mask { config, metric, request: None, response: None }))
    }
}

struct Mask {
    config: Rc<Config>,
    metric: u32,
    request: Option<Body>,
    response: Option<Body>,
}

/// A body that is looked at.
struct Body {
    masker: Masker,
    buffer: BufferType,
    /// Trailers are announced: the body is kept together until they come, since no host takes held
    /// bytes after the last chunk.
    has_trailers: bool,
    metric: u32,
}

impl Context for Mask {}

impl HttpContext for Mask {
    fn on_http_request_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        let config = &self.config;
        if config.masks_responses() && config.ask_for_identity {
            self.remove_http_request_header("accept-encoding");
        }
        if config.masks_requests() && !end_of_stream {
            self.request = self.body(MapType::HttpRequestHeaders, BufferType::HttpRequestBody);
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        let body = self.request.as_mut();
        body.map_or(Action::Continue, |body| body.on_chunk(body_size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _num_trailers: usize) -> Action {
        let body = self.request.as_mut();
        body.map_or(Action::Continue, Body::on_trailers)
    }

    fn on_http_response_headers(&mut self, _num_headers: usize, end_of_stream: bool) -> Action {
        if self.config.masks_responses() && !end_of_stream {
            self.response = self.body(MapType::HttpResponseHeaders, BufferType::HttpResponseBody);
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        let body = self.response.as_mut();
        body.map_or(Action::Continue, |body| body.on_chunk(body_size, end_of_stream))
    }

    fn on_http_response_trailers(&mut self, _num_trailers: usize) -> Action {
        let body = self.response.as_mut();
        body.map_or(Action::Continue, Body::on_trailers)
    }
}

impl Mask {
    /// The body these headers announce, if it is to be looked at. Its length may then change.
    fn body(&self, map: MapType, buffer: BufferType) -> Option<Body> {
        let header = |name: &str| {
            let value = hostcalls::get_map_value_bytes(map, name).ok().flatten()?;
            Some(String::from_utf8_lossy(&value).into_owned())
        };
        let content_type = header("content-type")?;
        let syntax = self.config.syntax(&content_type)?;
        if let Some(encoding) = header("content-encoding").filter(|name| name != "identity") {
            warn!("mask-card-numbers: a {content_type} body passes unread: it is {encoding}");
            return None;
        }
        for name in DIGESTS.iter().chain(&["content-length"]) {
            let _ = hostcalls::remove_map_value(map, name);
        }
        let masker = Masker::new(self.config.style.clone(), syntax);
        Some(Body {
            masker,
            buffer,
            has_trailers: header("trailer").is_some(),
            metric: self.metric,
        })
    }
}

impl Body {
    fn on_chunk(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.has_trailers && !end_of_stream {
            return Action::Pause;
        }
        self.mask(size, end_of_stream);
        Action::Continue
    }

    fn on_trailers(&mut self) -> Action {
        if self.has_trailers {
            self.mask(usize::MAX, true);
        } else if self.masker.held() > 0 {
            let held = self.masker.held();
            error!("mask-card-numbers: unannounced trailers: the last {held} bytes are lost");
        }
        Action::Continue
    }

    /// Puts what the masker makes of the bytes at hand in their place.
    fn mask(&mut self, size: usize, end_of_stream: bool) {
        let chunk = match size {
            0 => Vec::new(),
            size => hostcalls::get_buffer(self.buffer, 0, size).ok().flatten().unwrap_or_default(),
        };
        let before = self.masker.masked();
        let out = self.masker.feed(&chunk, end_of_stream);
        if out != chunk {
            // On an empty last chunk this puts the held bytes in front of nothing.
            let _ = hostcalls::set_buffer(self.buffer, 0, chunk.len(), &out);
        }
        let found = self.masker.masked() - before;
        if found > 0 {
            let _ = hostcalls::increment_metric(self.metric, found as i64);
        }
    }
}
