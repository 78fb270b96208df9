//! API keys: a request passes only with a key whose SHA-256 is configured, and only on its paths.
//!
//! `config` reads the configuration, `verify` decides, `path` takes keys out of paths, `filter` talks
//! to the host. Only `filter` needs a host, so the rest is tested with a plain `cargo test`.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

mod config;
#[cfg(target_family = "wasm")]
mod filter;
mod path;
mod verify;
