//! Header policy: adds, sets, appends and removes headers of requests and responses.
//!
//! `policy` reads the configuration, `template` the `${…}` values, `filter` talks to the host.
//! Only `filter` needs a host, so the rest is tested with a plain `cargo test`.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

#[cfg(target_family = "wasm")]
mod filter;
mod policy;
mod template;

/// What this binary calls itself in the version header.
const VERSION: &str =
    if cfg!(feature = "templates") { "header-policy/1.1.0" } else { "header-policy/1.0.0" };
